using System.Diagnostics.Metrics;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cluster;
using FileTransfer.Downloads;
using FileTransfer.Feed;
using FileTransfer.Feed.Push;

namespace FileTransfer.Operations;

/// <summary>Where this node stands, measured when somebody looks; what the database knows of it is read before, and only then.</summary>
/// <remarks>What could not be read is not told: a figure that is missing is better than one that was true once.</remarks>
public sealed class NodeFigures : IDisposable
{
    /// <summary>A look waits so long for the database: whoever scrapes has not much patience.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    /// <summary>What was read is told so long.</summary>
    private static readonly TimeSpan _fresh = TimeSpan.FromSeconds(5);

    /// <summary>So many followers have a series each: those that are furthest behind.</summary>
    private const int MostFollowers = 100;

    private readonly Meter _meter = new("FileTransfer.Node");
    private readonly ReplicaTable _replicas;
    private readonly FeedLag _feed;
    private readonly FollowerList _followers;
    private readonly Leadership _leadership;
    private readonly ChunkStore _store;
    private readonly Database _database;
    private readonly NodeId _here;
    private readonly TimeProvider _time;
    private volatile Reading? _read;

    public NodeFigures(
        ReplicaTable replicas,
        FeedLag feed,
        FollowerList followers,
        FeedReader reader,
        ChunkStore store,
        DamagedContents damaged,
        DownloadEngine engine,
        Database database,
        ClusterMembership membership,
        Leadership leadership,
        ThisNode node,
        CertificateFiles certificates,
        TimeProvider time
    )
    {
        (_replicas, _feed, _followers, _leadership) = (replicas, feed, followers, leadership);
        (_store, _database, _here, _time) = (store, database, node.Id, time);
        Gauge("database.up", null, "Whether the database answers", () => One(IsDatabaseUp));
        Gauge(
            "clock.jumped",
            null,
            "Whether the clock of the database jumped within ten minutes",
            () => One(database.Clock.RecentJump is not null)
        );
        Gauge("feed.stalled", null, "Whether this node cannot read the feed any further", () => One(reader.Fault is not null));
        Gauge("node.joined", null, "Whether this node has joined its cluster", () => One(membership.IsJoined));
        Gauge("node.leading", null, "Whether this node leads", () => One(leadership.IsLeading));
        Gauge("disk.free", "By", "Bytes that are free on the disk of the data folder", () => Space(space => space.BytesFree));
        Gauge("disk.floor", "By", "Bytes that must stay free on it", () => Space(space => space.FloorBytes));
        Gauge(
            "contents.damaged",
            null,
            "Damaged contents that were set aside and are not back yet",
            () => [new(damaged.Open.Count)]
        );
        Gauge(
            "sources.demoted",
            null,
            "Sources that are asked last because they sent wrong bytes",
            () => [new(engine.Diagnostics().Count(source => source.IsDemoted))]
        );
        Gauge(
            "queue.files",
            null,
            $"Files that are to come or to go, by what they wait for; counted no further than to {QueueDepth.MostCounted}",
            () =>
                Latest()
                    .Queue.Select(depth => new Measurement<long>(
                        depth.Count,
                        new KeyValuePair<string, object?>("state", depth.State)
                    ))
        );
        Gauge(
            "queue.oldest",
            "s",
            "For how long the file has been wanted that has been wanted longest",
            () => Latest().Queue is [_, ..] all ? [new(all.Max(depth => depth.OldestSeconds))] : []
        );
        Gauge(
            "feed.lag",
            null,
            "Mutations that this node has not brought into its queue yet",
            () => Latest().Lag is { } lag ? [new(lag)] : []
        );
        Gauge(
            "certificate.expires",
            "s",
            "Until a certificate that this node shows expires",
            () =>
                certificates.All.Select(one => new Measurement<long>(
                    (long)(one.Certificate.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime).TotalSeconds,
                    new KeyValuePair<string, object?>("certificate", one.Name)
                ))
        );
        Shipping("entries", null, "Mutations that a follower has not acknowledged", follower => follower.LagEntries);
        Shipping("size", "By", "Bytes of the contents that these add", follower => follower.LagBytes);
        Shipping("age", "s", "Since the oldest of them was appended", follower => (long)follower.LagSeconds);
    }

    private bool IsDatabaseUp => _database.IsReady && _database.Reach.Outage is null;

    private bool IsFresh => _read is { } read && _time.GetElapsedTime(read.At) < _fresh;

    /// <summary>Reads what the database knows, where it has not just been read.</summary>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        if (IsFresh)
        {
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_patience);
        try
        {
            var queue = IsDatabaseUp ? await _replicas.QueueAsync(_here, limit.Token).WaitAsync(limit.Token) : [];
            var lag = IsDatabaseUp ? await _feed.OfNodeAsync(_here, limit.Token).WaitAsync(limit.Token) : (long?)null;
            var followers =
                IsDatabaseUp && _leadership.IsLeading ? await _followers.ReadAsync(null, limit.Token).WaitAsync(limit.Token) : [];
            _read = new Reading(queue, lag, followers, _time.GetTimestamp());
        }
        catch (Exception e)
            when (!cancellationToken.IsCancellationRequested && (e is OperationCanceledException || DatabaseReach.IsFailure(e)))
        {
            _read = new Reading([], null, [], _time.GetTimestamp());
        }
    }

    public void Dispose() => _meter.Dispose();

    private void Gauge(string name, string? unit, string description, Func<IEnumerable<Measurement<long>>> measure) =>
        _meter.CreateObservableGauge($"filetransfer.{name}", measure, unit, description);

    private void Shipping(string name, string? unit, string description, Func<FollowerResource, long> of) =>
        Gauge(
            $"shipping.lag.{name}",
            unit,
            description,
            () =>
                Latest()
                    .Followers.OrderByDescending(follower => follower.LagEntries)
                    .Take(MostFollowers)
                    .Select(follower => new Measurement<long>(
                        of(follower),
                        new KeyValuePair<string, object?>("follower", follower.Name)
                    ))
        );

    private static IEnumerable<Measurement<long>> One(bool holds) => [new(holds ? 1 : 0)];

    private IEnumerable<Measurement<long>> Space(Func<FreeSpaceReport, long> of)
    {
        try
        {
            return [new(of(_store.FreeSpace()))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Who pushes figures has not asked for them to be read, and has a thread of its own that may wait.</summary>
    private Reading Latest()
    {
        ReadAsync(CancellationToken.None).GetAwaiter().GetResult();
        return _read!;
    }

    private sealed record Reading(IReadOnlyList<QueueDepth> Queue, long? Lag, IReadOnlyList<FollowerResource> Followers, long At);
}
