using FileTransfer.Cluster;

namespace FileTransfer.Hosting.Health;

internal static partial class ReadinessChecks
{
    private sealed class DatabaseCheck(Database database) : ReadinessCheck
    {
        private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1.2);

        protected override async ValueTask<Finding> FindAsync(CancellationToken cancellationToken)
        {
            if (!database.IsReady)
            {
                return Finding.Unhealthy($"it cannot be used: {database.WaitingFor}", database.Reach.Outage?.Since);
            }

            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(_patience);
                // Not by the token alone: a command on a dead network takes seconds to be cancelled.
                var durability = await database.PingAsync(limit.Token).WaitAsync(limit.Token);
                return Judge(durability, database.Commits.InDoubtSince);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                var cause =
                    e is OperationCanceledException ? $"no answer within {_patience.TotalSeconds} s" : DatabaseReach.CauseOf(e);
                return Finding.Unhealthy($"{database.Reach.Server} is away: {cause}", database.Reach.Outage?.Since);
            }
        }
    }

    private static Finding Judge(ServerDurability durability, DateTimeOffset? inDoubtSince) =>
        inDoubtSince is { } since
            ? Finding.Unhealthy(
                $"no synchronous standby has confirmed what was committed since {since:u}; writes are answered 503. "
                    + "Bring the standby back, or take it out of synchronous_standby_names",
                since
            )
        : durability.Fault is { } fault ? Finding.Degraded(fault)
        : Finding.Healthy(durability.Warning is { } warning ? $"it answers; {warning}" : "it answers");

    private sealed class LeaderCheck(Leadership leadership, Database database) : ReadinessCheck
    {
        protected override async ValueTask<Finding> FindAsync(CancellationToken cancellationToken)
        {
            if (leadership.IsLeading)
            {
                return Finding.Healthy("this node leads");
            }

            if (leadership.Rival is { } rival)
            {
                return Finding.Unhealthy(rival.Words);
            }

            if (!database.IsReady || database.Reach.Outage is not null)
            {
                return Finding.Unhealthy(
                    "who leads cannot be told while the database is away, and nobody can lead without it",
                    database.Reach.Outage?.Since
                );
            }

            return await leadership.FindLeaderAsync(cancellationToken) is { } leader
                ? Finding.Healthy($"node '{leader.Node}' leads since {leader.Since:u}")
                : Finding.Unhealthy("no node leads now; uploads and removals are refused until one does");
        }
    }

    private sealed class MembershipCheck(ClusterMembership membership, Database database) : LocalCheck
    {
        protected override Finding Find() =>
            membership.IsJoined
                ? Finding.Healthy("this node holds its own lock; the others see it alive")
                : Finding.Degraded(
                    $"this node has not joined the cluster: {membership.NotJoinedBecause}",
                    database.Reach.Outage?.Since
                );
    }
}
