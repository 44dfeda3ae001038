namespace FileTransfer.Contracts;

/// <summary>A cluster that this one is to ship its feed to.</summary>
/// <param name="Url" example="http://node-x.example:7070">Where any of its nodes answers.</param>
/// <param name="Token">A token that it knows, with scope <c>node</c>. It is never shown again.</param>
/// <param name="Buckets" example="[&quot;0x22&quot;]">Only files of these buckets, in hex; all when left out.</param>
/// <param name="Paused" example="false">Nothing is shipped until it is set again without.</param>
public sealed record FollowerRegistration(Uri? Url, string? Token, IReadOnlyList<string?>? Buckets, bool? Paused);

/// <summary>The clusters that this one ships its feed to.</summary>
public sealed record FollowersResource(string Cluster, IReadOnlyList<FollowerResource> Followers);

/// <param name="Follower">Which cluster it is; null before it was reached first.</param>
/// <param name="State"><c>inStep</c>, <c>catchingUp</c>, <c>rebuilding</c>, <c>ahead</c>, <c>unreachable</c> or <c>paused</c>.</param>
/// <param name="LagEntries">Mutations that it has not acknowledged.</param>
/// <param name="LagBytes">Of the contents that these add; counted no further than 10,000 mutations of a bin.</param>
/// <param name="LagSeconds">Since the oldest of them.</param>
/// <param name="LastError">What keeps it from being shipped to; null while nothing does.</param>
public sealed record FollowerResource(
    string Name,
    Uri Url,
    IReadOnlyList<string> Buckets,
    string? Follower,
    string State,
    long LagEntries,
    long LagBytes,
    double LagSeconds,
    string? LastError,
    DateTimeOffset? FailingSince,
    IReadOnlyList<FollowerBinResource> Bins
);

/// <param name="Acknowledged">Every sequence up to it is applied there, with the contents that came along.</param>
/// <param name="Behind">Mutations that follow it.</param>
/// <param name="Rebuilding">The bin is compared, or will be, instead of being shipped what follows.</param>
public sealed record FollowerBinResource(int Bin, long Acknowledged, long Behind, bool Rebuilding);
