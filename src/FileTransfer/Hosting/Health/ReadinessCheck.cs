using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FileTransfer.Hosting.Health;

/// <summary>What a check came to, in words for a person, and since when it is so, where that is known.</summary>
internal sealed record Finding(HealthStatus Status, string Detail, DateTimeOffset? Since = null)
{
    public const string SinceKey = "since";

    public static Finding Healthy(string detail) => new(HealthStatus.Healthy, detail);

    /// <summary>The node goes on, with less than it should have.</summary>
    public static Finding Degraded(string detail, DateTimeOffset? since = null) => new(HealthStatus.Degraded, detail, since);

    /// <summary>What the check is named after does not work now.</summary>
    public static Finding Unhealthy(string detail, DateTimeOffset? since = null) => new(HealthStatus.Unhealthy, detail, since);

    public HealthCheckResult ToResult() =>
        new(
            Status,
            Detail,
            null,
            Since is { } since ? new Dictionary<string, object>(StringComparer.Ordinal) { [SinceKey] = since } : null
        );
}

/// <summary>One thing that can be wrong with a node. Its status is true to its name alone; what it stops is said where it is registered.</summary>
internal abstract class ReadinessCheck : IHealthCheck
{
    /// <summary>Shorter than a probe waits.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1.5);

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(_patience);

            // Not by the token alone: a command on a dead network takes seconds to be cancelled.
            return (await FindAsync(limit.Token).AsTask().WaitAsync(limit.Token)).ToResult();
        }
        catch (Exception e) when (DatabaseReach.IsAway(e) || e is OperationCanceledException or TimeoutException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var cause =
                e is OperationCanceledException ? $"no answer within {_patience.TotalSeconds} s" : DatabaseReach.CauseOf(e);
            return Finding.Degraded($"it cannot be told while the database is away: {cause}").ToResult();
        }
    }

    /// <summary>Looks now. What takes longer than a probe waits is given up.</summary>
    protected abstract ValueTask<Finding> FindAsync(CancellationToken cancellationToken);
}

/// <summary>A check that looks at what this process knows already.</summary>
internal abstract class LocalCheck : ReadinessCheck
{
    protected sealed override ValueTask<Finding> FindAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Find());

    protected abstract Finding Find();
}
