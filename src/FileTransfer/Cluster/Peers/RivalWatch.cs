using FileTransfer.Chunks.Folder;
using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Peers;

/// <summary>Finds out whether another node works on a later state of this catalog: a standby that was promoted while its primary lives.</summary>
/// <remarks>
/// The node asks the nodes that its own database lists, at the addresses they have there, and asks its own database before it believes. A
/// header that comes with a request only makes it ask sooner: nobody is deposed by what somebody sends.
/// </remarks>
public sealed partial class RivalWatch(
    Database database,
    ClusterMembership membership,
    NodeDirectory nodes,
    Leadership leadership,
    PeerClient peers,
    TrustedKeys trust,
    NodeFile folder,
    ThisNode node,
    TimeProvider time,
    ILogger<RivalWatch> logger
) : BackgroundService
{
    /// <summary>Nodes that are asked in one look at most, those first that are not heard of at this database.</summary>
    private const int Most = 32;

    private static readonly TimeSpan _period = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    /// <summary>Asks once, and stops this node from leading where there is a later state.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken) =>
        await LookAsync(await ReadOwnAsync(cancellationToken), cancellationToken);

    private async Task LookAsync(CatalogSight own, CancellationToken cancellationToken)
    {
        var others = (await nodes.AllAsync(cancellationToken))
            .Where(other => other.Node != node.Id)
            .OrderBy(other => other.IsAlive)
            .Take(Most);
        foreach (
            var (sight, url) in await Task.WhenAll(others.Select(other => AskAsync(other.Node, other.Url, cancellationToken)))
        )
        {
            // A leader elected since is in this database, too; one of another is not.
            if (sight is not null && sight.Supersedes(own) && sight.Supersedes(own = await ReadOwnAsync(cancellationToken)))
            {
                if (leadership.Supersede(new Rival(sight, url)))
                {
                    Log.Superseded(
                        logger,
                        node.Id.Value,
                        own.Timeline,
                        own.Epoch,
                        sight.Node.Value,
                        url,
                        sight.Timeline,
                        sight.Epoch
                    );
                }

                WriteDown(sight, url);
                return;
            }
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        membership.RunWhileJoinedAsync(WatchAsync, stoppingToken);

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        var isRumoured = false;
        while (true)
        {
            // One that does not lead has nothing to stop, and looks before it leads. What this node sees itself it hears with its heartbeat.
            if (isRumoured)
            {
                await LookAsync(cancellationToken);
            }
            else if (leadership is { IsLeading: true, Sight: { } own })
            {
                await LookAsync(own, cancellationToken);
            }

            isRumoured = await leadership.Rumours.WaitAsync(_period, time, cancellationToken);
        }
    }

    private async Task<CatalogSight> ReadOwnAsync(CancellationToken cancellationToken)
    {
        var own = CatalogSight.Of(await CatalogIdentity.ReadAsync(database.Pool, cancellationToken), node);
        leadership.See(own);
        return own;
    }

    private async Task<(CatalogSight? Sight, Uri Url)> AskAsync(NodeId other, Uri url, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(_patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return (await peers.AskSightAsync(other, url, trust, either.Token), url);
        }
        catch (Exception e)
            when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return (null, url);
        }
    }

    /// <summary>So that a start with the older database does not lead while nobody of the later one can be asked.</summary>
    private void WriteDown(CatalogSight sight, Uri url)
    {
        try
        {
            folder.Supersede(new LaterCatalog(sight.FeedEpoch, sight.Epoch, sight.Node.Value, url));
        }
        catch (IOException e)
        {
            Log.NotWritten(logger, folder.Path, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            2130,
            LogLevel.Warning,
            "Could not write {File}; a restart would not know of the newer database: {Reason}"
        )]
        public static partial void NotWritten(ILogger logger, string file, string reason);

        [LoggerMessage(
            2131,
            LogLevel.Critical,
            "Node {Node} stops leading: its database (timeline {Timeline}, leader epoch {Epoch}) is superseded by that of node {Other} at {Url} (timeline {OtherTimeline}, leader epoch {OtherEpoch}). Stop the older PostgreSQL and start this node on the newer one; writes acknowledged only by this side are still on its disk"
        )]
        public static partial void Superseded(
            ILogger logger,
            string node,
            long timeline,
            long epoch,
            string other,
            Uri url,
            long otherTimeline,
            long otherEpoch
        );
    }
}
