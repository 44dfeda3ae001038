namespace FileTransfer.Contracts;

/// <summary>Answer of the health routes. <c>status</c>: <c>healthy</c>, <c>degraded</c>, <c>unhealthy</c>, <c>starting</c> or <c>draining</c>; of <c>/health/leader</c> <c>leading</c>, <c>following</c> or <c>draining</c>.</summary>
public sealed record HealthAnswer(
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, CheckAnswer>? Checks
);

/// <summary>One check: <c>status</c> as above, <c>detail</c> for a person, <c>since</c> when it is so, where that is known.</summary>
public sealed record CheckAnswer(
    string Status,
    string? Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? Since
);
