using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;

namespace FileTransfer.Operations;

/// <summary>Empties a node that is to go: nobody asks it for what another has, and what only it has gets copies elsewhere first.</summary>
internal sealed class NodeEvacuation(NodeDirectory directory, ReplicaTransitions transitions)
{
    /// <returns>Null where no node is called so.</returns>
    public async Task<EvacuationResource?> FindAsync(NodeId node, CancellationToken cancellationToken) =>
        await directory.FindEvacuationAsync(node, cancellationToken) is { } found
            ? await DescribeAsync(node, found.Since, dryRun: false, 0, cancellationToken)
            : null;

    /// <summary>Begins; begun again, it looks again for what has come to the node since.</summary>
    public async Task<EvacuationResource?> StartAsync(NodeId node, bool changes, CancellationToken cancellationToken)
    {
        if (!changes)
        {
            return await directory.FindEvacuationAsync(node, cancellationToken) is { } found
                ? await DescribeAsync(
                    node,
                    found.Since,
                    dryRun: true,
                    (await transitions.CountScarceAsync(node, cancellationToken)).Unwanted,
                    cancellationToken
                )
                : null;
        }

        if (!await directory.SetEvacuatingAsync(node, true, cancellationToken))
        {
            return null;
        }

        var wanted = await transitions.WantScarceElsewhereAsync(node, cancellationToken);
        return await FindAsync(node, cancellationToken) is { } now ? now with { Wanted = wanted } : null;
    }

    /// <summary>Nobody spares the node any more; what others have got stays there.</summary>
    public async Task<EvacuationResource?> EndAsync(NodeId node, CancellationToken cancellationToken) =>
        await directory.SetEvacuatingAsync(node, false, cancellationToken) ? await FindAsync(node, cancellationToken) : null;

    private async Task<EvacuationResource> DescribeAsync(
        NodeId node,
        DateTimeOffset? since,
        bool dryRun,
        long wanted,
        CancellationToken cancellationToken
    ) => new(node.Value, since, dryRun, (await transitions.CountScarceAsync(node, cancellationToken)).Scarce, wanted);
}
