namespace FileTransfer.Contracts;

/// <summary>Answer of the health routes. <c>status</c>: <c>healthy</c>, <c>degraded</c>, <c>unhealthy</c>, <c>starting</c> or <c>draining</c>; of <c>/health/leader</c> <c>leading</c>, <c>following</c> or <c>draining</c>.</summary>
/// <param name="Disk">The disk of the data folder, where it says so.</param>
public sealed record HealthAnswer(
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, CheckAnswer>? Checks,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DiskAnswer? Disk = null
);

/// <summary>Bytes of a node's disk.</summary>
/// <param name="Floor">So many stay free: below it no download starts.</param>
public sealed record DiskAnswer(long Free, long Total, long Floor);

/// <summary>How the nodes of the cluster are, as the answering node finds them.</summary>
public sealed record ClusterHealthResource(string Node, IReadOnlyList<NodeHealthResource> Nodes);

/// <summary>How a node is.</summary>
/// <param name="Health">What its <c>/health/ready</c> says; null where it was not to be had.</param>
/// <param name="Fault">Why it was not.</param>
public sealed record NodeHealthResource(string Node, HealthAnswer? Health, string? Fault);

/// <summary>One check: <c>status</c> as above, <c>detail</c> for a person, <c>since</c> when it is so, where that is known.</summary>
public sealed record CheckAnswer(
    string Status,
    string? Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? Since
);
