using FileTransfer.Bandwidth;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Cluster.Trust;
using FileTransfer.Downloads;
using FileTransfer.Feed;
using FileTransfer.Wants.Intents;
using FileTransfer.Wants.Loads;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Operations;

/// <summary>Takes a dead node out of the cluster, with all that is kept under its name.</summary>
internal sealed partial class NodeRemoval(
    NodeDirectory directory,
    TrustedKeys trusted,
    Database database,
    ILogger<NodeRemoval> logger
)
{
    public async Task<(NodeRemovalOutcome Outcome, NodeRemovalResource? Removed)> RemoveAsync(
        NodeId node,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // With its lock held until the commit, the node is not there and cannot join in the middle.
        var outcome = await directory.RemoveAsync(connection, node, cancellationToken);
        if (outcome != NodeRemovalOutcome.Removed)
        {
            return (outcome, null);
        }

        await IntentTable.ForgetNodeAsync(connection, node, cancellationToken);
        await LoadTable.ForgetNodeAsync(connection, node, cancellationToken);
        await NodePolicies.ForgetNodeAsync(connection, node, cancellationToken);
        await NodeLimits.ForgetNodeAsync(connection, node, cancellationToken);
        await PausedDownloads.ForgetNodeAsync(connection, node, cancellationToken);
        await FeedApplier.ForgetNodeAsync(connection, node, cancellationToken);
        var (replicas, onlyCopies) = await ReplicaTransitions.ForgetNodeAsync(connection, node, cancellationToken);
        await database.Commits.CommitAsync(transaction);
        await trusted.ForgetAsync(node, cancellationToken);
        Log.Removed(logger, node.Value, replicas, onlyCopies);
        return (outcome, new NodeRemovalResource(node.Value, replicas, onlyCopies));
    }

    private static partial class Log
    {
        [LoggerMessage(
            1800,
            LogLevel.Warning,
            "Removed node {Node} and its {Replicas} replicas; {OnlyCopies} files were stored nowhere else"
        )]
        public static partial void Removed(ILogger logger, string node, long replicas, long onlyCopies);
    }
}
