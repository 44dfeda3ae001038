namespace FileTransfer.Contracts;

/// <summary>What a cluster says of its feed before it ships it.</summary>
/// <param name="Cluster">The cluster that ships; the follower has to accept it.</param>
/// <param name="Urls" example="[&quot;http://node-a:7070&quot;]">Where its nodes answer, for contents that are too large for a shipment.</param>
/// <param name="Bins">All 16, in their order; the digests are those of the files that are shipped.</param>
/// <param name="Stopping">Its leader is about to leave: the answer has what is lacking.</param>
public sealed record ShipmentHandshake(
    string Cluster,
    Guid Epoch,
    IReadOnlyList<Uri> Urls,
    IReadOnlyList<BinCursor> Bins,
    bool Stopping = false
);

/// <summary>How far a follower has applied the feed of the cluster that greets it.</summary>
/// <param name="Cluster">The follower.</param>
/// <param name="Epoch">The history that its positions were of until now; null where it had none.</param>
/// <param name="Lacking">Files of the cluster that greets whose content this follower's leader wants and has not stored; null where it was not asked.</param>
public sealed record ShipmentPositions(
    string Cluster,
    Guid? Epoch,
    IReadOnlyList<ShipmentPosition> Bins,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Lacking = null
);

/// <summary>How far a follower has applied one bin.</summary>
/// <param name="Applied">Every sequence up to it is applied.</param>
/// <param name="Digest">Of the files that the follower has of that cluster in this bin.</param>
/// <param name="Comparing">The follower has to be told the files of the bin before it takes mutations.</param>
/// <param name="Differing">Of a bin that is compared: the beginnings of the keys among which it has other files. It is told those files next.</param>
public sealed record ShipmentPosition(
    int Bin,
    long Applied,
    string Digest,
    bool Comparing,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Differing = null
);

/// <summary>
/// What a shipment begins with: mutations of a bin that follow each other; or, where a bin is compared, what each of its parts has, and then
/// pages of the files of those that differ.
/// </summary>
/// <param name="Buckets">Only files of these are shipped; none = of all.</param>
/// <param name="Prefix">What the keys of the files begin with; null = they are of the whole bin.</param>
/// <param name="After">What the page of files follows; null where it is the first one of its part.</param>
/// <param name="IsLast">The comparison of the bin ends with this page.</param>
public sealed record Shipment(
    string Cluster,
    IReadOnlyList<string> Buckets,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SyncPage? Page = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SyncRanges? Ranges = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SyncFiles? Files = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Prefix = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? After = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool IsLast = false
);
