namespace FileTransfer.Contracts;

/// <summary>What a cluster says of its feed before it ships it.</summary>
/// <param name="Cluster">The cluster that ships; the follower has to accept it.</param>
/// <param name="Urls" example="[&quot;http://node-a:7070&quot;]">Where its nodes answer, for contents that are too large for a shipment.</param>
/// <param name="Bins">All 16, in their order; the digests are those of the files that are shipped.</param>
public sealed record ShipmentHandshake(string Cluster, Guid Epoch, IReadOnlyList<Uri> Urls, IReadOnlyList<BinCursor> Bins);

/// <summary>How far a follower has applied the feed of the cluster that greets it.</summary>
/// <param name="Cluster">The follower.</param>
/// <param name="Epoch">The history that its positions were of until now; null where it had none.</param>
public sealed record ShipmentPositions(string Cluster, Guid? Epoch, IReadOnlyList<ShipmentPosition> Bins);

/// <summary>How far a follower has applied one bin.</summary>
/// <param name="Applied">Every sequence up to it is applied.</param>
/// <param name="Digest">Of the files that the follower has of that cluster in this bin.</param>
/// <param name="Comparing">The follower has to be told all files of the bin before it takes mutations.</param>
public sealed record ShipmentPosition(int Bin, long Applied, string Digest, bool Comparing);

/// <summary>What a shipment begins with: mutations of a bin that follow each other, or a page of all files of a bin.</summary>
/// <param name="Buckets">Only files of these are shipped; none = of all.</param>
/// <param name="After">What the page of files follows; null where it is the first one.</param>
public sealed record Shipment(
    string Cluster,
    IReadOnlyList<string> Buckets,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SyncPage? Page = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SyncFiles? Files = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? After = null
);
