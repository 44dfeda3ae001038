namespace FileTransfer.Contracts;

/// <summary>What a webhook is told besides changes of files, in its order.</summary>
public sealed record ClusterEventsResource(string Cluster, IReadOnlyList<ClusterEventResource> Events);

/// <param name="Kind"><c>leaderChanged</c>: the node leads; <c>failed</c>: it gave the file up; <c>inStep</c>: it lacks nothing any more that it wants.</param>
/// <param name="Key">Of what failed; its bucket, its location where that is UTF-8, and why.</param>
public sealed record ClusterEventResource(
    string Kind,
    string Node,
    DateTimeOffset At,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Key = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Bucket = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Location = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null
)
{
    public const string LeaderChanged = "leaderChanged";
    public const string Failed = "failed";
    public const string InStep = "inStep";
}
