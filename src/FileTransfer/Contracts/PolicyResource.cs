namespace FileTransfer.Contracts;

/// <summary>A policy as JSON, the body of its PUT.</summary>
/// <param name="Kind" example="nothing-except"><c>nothing-except</c> or <c>everything-except</c>.</param>
/// <param name="Filters" example="[&quot;prefix:utf8:photos/&quot;, &quot;exact:hex:00ff&quot;]">Locations in the form <c>prefix|exact:utf8|hex:value</c>, at most 1000; none = <c>[]</c>.</param>
public sealed record PolicyDefinition(string? Kind, IReadOnlyList<string?>? Filters);

/// <summary>The policy of a bucket at this node, and what came of its last change since the node started.</summary>
/// <param name="Kind"><c>nothing-except</c> or <c>everything-except</c>.</param>
/// <param name="Filters">In the form <c>prefix|exact:utf8|hex:value</c>: prefixes first, each once, in the order of their bytes.</param>
/// <param name="ChangedAt">Null where no policy was set, and everything is wanted.</param>
/// <param name="Pending">Whether it is still being applied: the numbers grow until all files of the bucket were looked at.</param>
/// <param name="Reviewed">Files that were looked at.</param>
/// <param name="Wanted">Files that are wanted now and were not.</param>
/// <param name="Withdrawn">Downloads, queued, running or failed, that are not wanted any more.</param>
/// <param name="Pruned">Stored files that leave this node.</param>
/// <param name="Kept">Stored files that were to leave and stay, because no other living node has them stored.</param>
/// <param name="KeptKeys">Their keys, the first 100.</param>
public sealed record PolicyResource(
    string Bucket,
    string Kind,
    IReadOnlyList<string> Filters,
    DateTimeOffset? ChangedAt,
    bool Pending,
    long Reviewed,
    long Wanted,
    long Withdrawn,
    long Pruned,
    long Kept,
    IReadOnlyList<string> KeptKeys
);

/// <summary>A page of the buckets, each with the policy that this node has for it.</summary>
/// <param name="Next">The value of <c>after</c> for the next page; null on the last one.</param>
public sealed record BucketListing(IReadOnlyList<PolicyResource> Buckets, string? Next);

/// <summary>A line of the list of what is missing at this node.</summary>
/// <param name="Location">The location as text; left out where it is not UTF-8.</param>
/// <param name="LocationHex">The location in hex, where it is not UTF-8.</param>
/// <param name="State">This node's replica: <c>wanted</c>, <c>downloading</c>, <c>removing</c>, <c>failed</c>, <c>paused</c> or <c>absent</c>.</param>
/// <param name="BytesProven">What is here of the content and proven.</param>
/// <param name="Reason">Why it is not stored, in words.</param>
/// <param name="NextAttemptAt">When it is tried again; null when it is not waiting for a time.</param>
/// <param name="Sources">Other nodes that have it stored.</param>
public sealed record MissingFile(
    string Key,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Location,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? LocationHex,
    long Size,
    string State,
    long BytesProven,
    string? Reason,
    DateTimeOffset? NextAttemptAt,
    int Sources
);
