using FileTransfer.Cluster;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Feed;

/// <summary>Makes this node's replicas follow its policies whenever it joins its cluster, and applies changes of policies, step by step.</summary>
public sealed class PolicyReviews(PolicyChanges policies, ClusterMembership membership, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        membership.RunWhileJoinedAsync(ReviewAsync, stoppingToken);

    private async Task ReviewAsync(CancellationToken cancellationToken)
    {
        await policies.ReviewAllAsync(cancellationToken);
        while (true)
        {
            while (await policies.StepAsync(cancellationToken)) { }
            await policies.Due.WaitAsync(_period, time, cancellationToken);
        }
    }
}
