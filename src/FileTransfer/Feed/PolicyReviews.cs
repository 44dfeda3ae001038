using FileTransfer.Cluster;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Feed;

/// <summary>Makes this node's replicas follow its policies whenever it joins, and finishes changes of a policy that were cut off.</summary>
public sealed class PolicyReviews(PolicyChanges policies, ClusterMembership membership, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        membership.RunWhileJoinedAsync(ReviewAsync, stoppingToken);

    private async Task ReviewAsync(CancellationToken cancellationToken)
    {
        await policies.ReviewAsync(dueOnly: false, cancellationToken);
        while (true)
        {
            await Task.Delay(_period, time, cancellationToken);
            await policies.ReviewAsync(dueOnly: true, cancellationToken);
        }
    }
}
