using FileTransfer.Chunks;
using FileTransfer.Cluster;
using FileTransfer.Feed;
using FileTransfer.Postgres;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FileTransfer.Hosting;

/// <summary>What <c>/health/ready</c> asks. A node without its database still serves what it has stored, so it is degraded, not unready.</summary>
internal static class ReadinessChecks
{
    public static void AddReadinessChecks(this IHostApplicationBuilder builder) =>
        builder
            .Services.AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", tags: [HealthRoutes.Ready])
            .AddCheck<LeaderCheck>("leader", tags: [HealthRoutes.Ready])
            .AddCheck<QueueCheck>("queue", tags: [HealthRoutes.Ready])
            .AddCheck<DiskCheck>("disk", tags: [HealthRoutes.Ready]);

    private sealed class DatabaseCheck(Database database) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        )
        {
            if (!database.IsReady)
            {
                return HealthCheckResult.Degraded(database.WaitingFor);
            }

            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(TimeSpan.FromSeconds(2));
                // Not by the token alone: a command on a dead network takes seconds to be cancelled.
                var durability = await database.PingAsync(limit.Token).WaitAsync(limit.Token);
                return Judge(durability, database.Commits.InDoubtSince);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                return HealthCheckResult.Degraded($"it is away: {e.Message}");
            }
        }

        private static HealthCheckResult Judge(ServerDurability durability, DateTimeOffset? inDoubtSince) =>
            inDoubtSince is { } since
                ? HealthCheckResult.Degraded(
                    $"no synchronous standby has confirmed what was committed since {since:u}; writes are answered 503. Bring the standby back, or take it out of synchronous_standby_names"
                )
            : durability.Fault is { } fault ? HealthCheckResult.Degraded(fault)
            : HealthCheckResult.Healthy(durability.Warning is { } warning ? $"it answers; {warning}" : "it answers");
    }

    private sealed class LeaderCheck(Leadership leadership, NodePresence presence) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) =>
            Task.FromResult(
                leadership.IsLeading ? HealthCheckResult.Healthy("this node leads")
                : presence.IsPresent ? HealthCheckResult.Healthy("this node follows")
                : HealthCheckResult.Degraded($"this node is not present in the cluster: {presence.AbsentBecause}")
            );
    }

    private sealed class QueueCheck(FeedReader feed) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) =>
            Task.FromResult(
                feed.Fault is { } fault
                    ? HealthCheckResult.Degraded(fault)
                    : HealthCheckResult.Healthy("the feed reaches the queue")
            );
    }

    private sealed class DiskCheck(DiskPressure disk) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) =>
            Task.FromResult(
                disk.Reason is { } reason ? HealthCheckResult.Degraded($"downloads are paused: {reason}")
                : disk.Shortage is { } shortage ? HealthCheckResult.Degraded($"a download waits for room: {shortage}")
                : HealthCheckResult.Healthy("there is room")
            );
    }
}
