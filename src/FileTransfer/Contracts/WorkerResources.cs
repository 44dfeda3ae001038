namespace FileTransfer.Contracts;

/// <summary>The background activities of a node.</summary>
public sealed record WorkersResource(string Node, IReadOnlyList<WorkerResource> Workers);

/// <summary>A background activity.</summary>
/// <param name="Name" example="orphans">Its name at the node.</param>
/// <param name="About">What it does.</param>
/// <param name="State"><c>working</c>, <c>idle</c> (it waits for work, or for its time) or <c>paused</c>.</param>
/// <param name="Since">Since when it is at work; when it was last, while it is not; null where it never was.</param>
/// <param name="Progress">How far it is, in words.</param>
/// <param name="Rounds">Rounds of work that went well since the process began.</param>
/// <param name="LastError">What the last round that failed failed of.</param>
/// <param name="PaceSeconds">Between two rounds; null where it has no pace of its own.</param>
/// <param name="PausedUntil">When its pause ends by itself.</param>
public sealed record WorkerResource(
    string Name,
    string About,
    string State,
    DateTimeOffset? Since,
    string? Progress,
    long Rounds,
    string? LastError,
    DateTimeOffset? LastErrorAt,
    double? PaceSeconds,
    DateTimeOffset? PausedUntil
);

/// <summary>For how long a worker is paused.</summary>
/// <param name="For" example="1h">24 h at most; 1 h when left out.</param>
public sealed record WorkerPauseRequest(string? For = null);

/// <summary>How a worker goes on.</summary>
/// <param name="Pace" example="30s">Between two rounds, until the process ends; null = as usual.</param>
public sealed record WorkerSettings(string? Pace = null);
