using FileTransfer.Cluster;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Feed;

/// <summary>Makes this node's replicas follow its policies whenever it joins its cluster, and applies changes of policies, step by step.</summary>
public sealed class PolicyReviews(
    PolicyChanges policies,
    ClusterMembership membership,
    NodePulse pulse,
    WorkerRegistry workers,
    TimeProvider time
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var due = pulse.Ask(NodePolicies.IsAnyDue, policies.Due.Set);
        await membership.RunWhileJoinedAsync(ReviewAsync, stoppingToken);
    }

    private async Task ReviewAsync(CancellationToken cancellationToken)
    {
        var worker = workers.Add("policies", "makes the node's replicas follow its policies");
        await worker.RunAsync(() => policies.ReviewAllAsync(cancellationToken), cancellationToken);
        while (true)
        {
            while (await worker.RunAsync(() => policies.StepAsync(cancellationToken), cancellationToken)) { }
            await policies.Due.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }
    }
}
