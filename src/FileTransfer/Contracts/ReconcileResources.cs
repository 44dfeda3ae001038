namespace FileTransfer.Contracts;

/// <summary>A place in the feed of a file's bin.</summary>
/// <param name="Epoch">The history of the feed.</param>
/// <param name="Sequence">From 1.</param>
public sealed record PositionResource(Guid Epoch, long Sequence);

/// <summary>A history of the feed that somebody remembers.</summary>
public sealed record EpochResource(Guid Epoch, DateTimeOffset BeganAt);

/// <summary>A line of what a folder remembers: the first is about the folder, each other about a file, in the order of the keys.</summary>
public sealed record FolderLine(FolderResource? Folder, FolderFileResource? File);

/// <summary>A data folder.</summary>
/// <param name="Members">The nodes of the cluster that it knows of.</param>
/// <param name="Policies">The policies of its node.</param>
public sealed record FolderResource(
    string Node,
    string Cluster,
    IReadOnlyList<string> Members,
    IReadOnlyList<EpochResource> Epochs,
    IReadOnlyList<FolderPolicyResource> Policies
);

/// <summary>A policy that a folder remembers; filters are written as in <c>PUT /v1/buckets/{bucket}/policy</c>.</summary>
public sealed record FolderPolicyResource(string Bucket, string Kind, IReadOnlyList<string> Filters);

/// <summary>A file as a folder remembers it.</summary>
/// <param name="File">Its metadata; null where only its removal is remembered.</param>
/// <param name="Generation">Counts registrations after a removal, from 1.</param>
/// <param name="Pinned">Somebody named it at this node, so no policy has a say in it.</param>
/// <param name="Added">Where its Add is in the feed.</param>
/// <param name="Removed">Where the last removal that the node has seen is in the feed.</param>
/// <param name="Content"><c>absent</c>, <c>here</c> (not looked at), <c>proven</c> or <c>damaged</c>.</param>
public sealed record FolderFileResource(
    string Key,
    FileRegistration? File,
    int Generation,
    bool Pinned,
    PositionResource? Added,
    DateTimeOffset? StoredAt,
    PositionResource? Removed,
    DateTimeOffset? RemovedAt,
    string Content
);

/// <summary>A line of what the catalog knows: the first is about its feed, each other about a file, in the order of the keys.</summary>
public sealed record CatalogLine(IReadOnlyList<EpochResource>? Epochs, IReadOnlyList<string>? Members, CatalogFileResource? File);

/// <summary>A file as the catalog has it.</summary>
/// <param name="State"><c>registered</c>, <c>added</c> or <c>removed</c>.</param>
/// <param name="Generation">Counts registrations after a removal, from 1.</param>
/// <param name="Last">Where its last mutation is in the feed; null where it has none.</param>
public sealed record CatalogFileResource(string Key, string State, int Generation, PositionResource? Last);
