using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cluster;
using FileTransfer.Downloads;
using FileTransfer.Downloads.Progress;
using FileTransfer.Downloads.Sources;
using FileTransfer.Feed;
using FileTransfer.Wants.Intents;

namespace FileTransfer.Operations;

/// <summary>Gathers what this node knows of a file. It asks no other node.</summary>
internal sealed class Explainer(
    FileCatalog catalog,
    ReplicaTable replicas,
    IntentTable intents,
    NodeDirectory nodes,
    Leadership leadership,
    FeedLag feed,
    ClusterMembership membership,
    DiskPressure disk,
    PausedDownloads paused,
    LaneAllowance lanes,
    DamagedContents damaged,
    DownloadEvents events,
    SourceAttemptHistory history,
    SourceRegistry sources,
    DownloadEngine engine,
    NodeId here,
    IOptions<DownloadOptions> options
)
{
    private const int MostIntents = 100;

    /// <returns>Null when no file has the key.</returns>
    public async Task<ExplainedFile?> FindAsync(FileKey key, CancellationToken cancellationToken)
    {
        if (
            await catalog.FindAsync(key, cancellationToken) is not { } file
            || await replicas.DiagnoseAsync(here, key, cancellationToken) is not { } standing
        )
        {
            return null;
        }

        var all = await replicas.OfAsync(key, cancellationToken);
        var leader = (await leadership.FindLeaderAsync(cancellationToken))?.Node;
        var known = (await nodes.AllAsync(cancellationToken)).ToDictionary(node => node.Node);
        return new ExplainedFile(
            file,
            here,
            leader == here,
            all.FirstOrDefault(replica => replica.Node == here),
            standing,
            events.Of(key),
            [
                .. all.Where(replica => replica.State == ReplicaState.Stored && replica.Node != here)
                    .Select(replica => new Holder(
                        replica.Node,
                        replica.Node == leader,
                        SilentFor(known.GetValueOrDefault(replica.Node), standing.Now)
                    )),
            ],
            [.. sources.OutsideIds.Select(source => source.Value)],
            history.Of(key),
            await intents.StandingAsync(key, MostIntents, cancellationToken),
            await feed.OfBinAsync(here, key.Bin, cancellationToken),
            options.Value.MaxAttempts,
            membership.NotJoinedBecause,
            paused.OfAll?.Reason ?? disk.Reason,
            lanes.Shortage,
            engine.Diagnostics(key)
        )
        {
            Damage = damaged.Of(file.Fingerprint),
        };
    }

    private static TimeSpan? SilentFor(NodeRecord? node, DateTimeOffset now) =>
        node is null ? TimeSpan.MaxValue
        : node.IsAlive ? null
        : now - node.SeenAt;
}
