namespace FileTransfer.Contracts;

/// <summary>How far this cluster is with the clusters that it pulls from, and with those that ship here.</summary>
public sealed record SyncStatusResource(
    string Cluster,
    IReadOnlyList<UpstreamResource> Upstreams,
    IReadOnlyList<ShipperResource> Shippers
);

/// <param name="Name">What this cluster calls it.</param>
/// <param name="Url">The address that is asked now.</param>
/// <param name="Upstream">Which cluster it is; null before it was reached first.</param>
/// <param name="Epoch">The history of its feed that is read; null before it was reached first.</param>
/// <param name="InStep">All that it has told of is applied here, and the digests say that this is just what it has; contents may still be on their way.</param>
/// <param name="Files">Files that it has.</param>
/// <param name="Lacking">Those of them that this cluster has because of it and whose content the leader does not have stored, though it wants them.</param>
/// <param name="Kept">Files that a comparison did not find there any more, and that stay here.</param>
/// <param name="Found">What the last comparison found; null where none was made since this node leads.</param>
/// <param name="LastError">What keeps it from being pulled, or one of its bins; null while nothing does.</param>
public sealed record UpstreamResource(
    string Name,
    Uri Url,
    string? Upstream,
    Guid? Epoch,
    bool InStep,
    long Files,
    long Lacking,
    long Kept,
    string? LastError,
    DateTimeOffset? FailingSince,
    SyncFindingResource? Found,
    IReadOnlyList<UpstreamBinResource> Bins
);

/// <summary>What a comparison with an upstream found.</summary>
/// <param name="Missing">Files that this cluster did not know of; they are wanted now.</param>
/// <param name="Extra">Files that the upstream does not have any more; they are kept.</param>
/// <param name="Keys">The first 100 of those that were missing.</param>
public sealed record SyncFindingResource(DateTimeOffset At, int Missing, int Extra, IReadOnlyList<string> Keys);

/// <summary>A file that an upstream does not have any more and that stays here until somebody decides.</summary>
/// <param name="Claimed">Whether it stays also without that upstream: this cluster, or another upstream, has it.</param>
/// <param name="Since">When it was not found there.</param>
public sealed record UpstreamKeptFile(
    string Key,
    string Bucket,
    string? Location,
    string? LocationHex,
    long Size,
    bool Claimed,
    DateTimeOffset Since
);

/// <summary>What was decided of the files that an upstream does not have any more.</summary>
/// <param name="Files">How many they were.</param>
/// <param name="Removed">Those that nobody else claimed.</param>
public sealed record UpstreamDecisionResource(string Upstream, int Files, int Removed);

/// <param name="Cursor">The bin's newest sequence as the upstream said last; null while it has said nothing to this leader.</param>
/// <param name="Sealed">Every sequence up to it has been applied.</param>
/// <param name="GapUntil">The last sequence of the gap that follows <paramref name="Sealed"/>; null where nothing beyond it is applied yet.</param>
/// <param name="Behind">Mutations that are not applied yet; null while the cursor is not known.</param>
/// <param name="Comparing">The bin's files are being compared.</param>
/// <param name="Differs">All is applied, and the digests are not equal.</param>
/// <param name="LastError">Why this bin alone stands still; null while it does not.</param>
public sealed record UpstreamBinResource(
    int Bin,
    long? Cursor,
    long Sealed,
    long? GapUntil,
    long? Behind,
    bool Comparing,
    bool Differs,
    string? LastError,
    DateTimeOffset? FailingSince
);
