using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>At the leader: pulls the feeds of the upstreams, each in a loop of its own.</summary>
public sealed partial class UpstreamPuller : BackgroundService
{
    /// <summary>Bins of one upstream that are read at the same time; one while it is at fault.</summary>
    private const int BinsAtOnce = 4;

    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    /// <summary>What still differs is looked for so often.</summary>
    private static readonly TimeSpan _findPeriod = TimeSpan.FromMinutes(1);

    private readonly Backoff _backoff = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(15));
    private readonly Database _database;
    private readonly FileCommands _commands;
    private readonly UpstreamComparison _comparison;
    private readonly Leadership _leadership;
    private readonly ClusterMembership _membership;
    private readonly ThisNode _node;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public UpstreamPuller(
        UpstreamClients clients,
        Database database,
        FileCommands commands,
        UpstreamComparison comparison,
        Leadership leadership,
        ClusterMembership membership,
        ThisNode node,
        TimeProvider time,
        ILogger<UpstreamPuller> logger
    )
    {
        (_database, _commands, _comparison) = (database, commands, comparison);
        (_leadership, _membership, _node, _time, _logger) = (leadership, membership, node, time, logger);
        Upstreams = [.. clients.All.Select(one => new Upstream(one.Options, one.Client))];
    }

    public IReadOnlyList<Upstream> Upstreams { get; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (Upstreams.Count > 0)
        {
            await _membership.RunWhileJoinedAsync(
                token => Task.WhenAll(Upstreams.Select(upstream => PullAsync(upstream, token))),
                stoppingToken
            );
        }
    }

    private async Task PullAsync(Upstream upstream, CancellationToken cancellationToken)
    {
        var feed = NewFeed(upstream);
        var failures = 0;
        while (true)
        {
            var begun = _time.GetTimestamp();
            var pause = TimeSpan.Zero;
            try
            {
                if (!_leadership.IsLeading)
                {
                    throw new NotLeadingException();
                }

                var isNews = await PullOnceAsync(upstream, feed, failures > 0 ? 1 : BinsAtOnce, cancellationToken);
                if (failures > 0)
                {
                    Log.Works(_logger, upstream.Options.Name, upstream.Client.Url);
                }

                (failures, upstream.Fault) = (0, null);
                // An upstream that has no news and says so at once is asked again in a second.
                pause = isNews ? TimeSpan.Zero : _period - _time.GetElapsedTime(begun);
            }
            catch (Exception e) when (e is UpstreamFaultException || (e is PostgresException && !DatabaseReach.IsAway(e)))
            {
                var reason = e is PostgresException ? $"the database does not take what it offers: {e.Message}" : e.Message;
                if (upstream.Fault?.Reason != reason)
                {
                    Log.Fault(_logger, upstream.Options.Name, upstream.Client.Url, reason);
                    upstream.Fault = new UpstreamFault(reason, _time.GetUtcNow());
                }

                upstream.Client.TryNextUrl();
                feed = NewFeed(upstream);
                pause = _backoff.Bound(failures++);
            }
            catch (Exception e)
                when (e is NotLeadingException || (ClusterMembership.IsPassing(e) && !cancellationToken.IsCancellationRequested))
            {
                // Of this cluster, not of the upstream: other upstreams wait for the same, each in its own loop.
                feed = NewFeed(upstream);
                (pause, upstream.Fault) = (_period, null);
            }

            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, _time, cancellationToken);
            }
        }
    }

    private PulledFeed NewFeed(Upstream upstream) => new(upstream.Options, upstream.Client, _commands, _node.ClusterId);

    /// <returns>Whether anything was to be done.</returns>
    private async Task<bool> PullOnceAsync(Upstream upstream, PulledFeed feed, int atOnce, CancellationToken cancellationToken)
    {
        var grown = await feed.FindGrownAsync(cancellationToken);
        upstream.See(feed);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            grown,
            parallel,
            async (bin, token) =>
                await (
                    feed.Positions[bin.Bin].CompareDue
                        ? _comparison.ReplaceFeedAsync(upstream.Options, upstream.Client, bin.Bin, token)
                        : CatchUpAsync(upstream, feed, bin, token)
                )
        );
        feed.Applied();
        await ProveAsync(upstream, feed.Told!, cancellationToken);
        return grown.Count > 0;
    }

    /// <summary>Compares the digests; where they differ, what is in one set alone is found, and they are compared again.</summary>
    private async Task ProveAsync(Upstream upstream, UpstreamCursors told, CancellationToken cancellationToken)
    {
        await CompareAsync();
        if (upstream.Differing.Count > 0 && !(_time.GetUtcNow() - upstream.Found?.At < _findPeriod))
        {
            Log.Differs(_logger, upstream.Options.Name, upstream.Client.Url, string.Join(", ", upstream.Differing));
            await _comparison.FindAsync(upstream, upstream.Differing, ComparisonDepth.Differences, cancellationToken);
            await CompareAsync();
        }

        async Task CompareAsync() =>
            upstream.Compare(told, await UpstreamPositions.DigestsAsync(_database, upstream.Options.Name, cancellationToken));
    }

    private async Task CatchUpAsync(Upstream upstream, PulledFeed feed, BinGrowth bin, CancellationToken cancellationToken)
    {
        var page = await feed.ReadAsync(bin.Bin, bin.Position, cancellationToken);
        while (await _commands.ApplyUpstreamAsync(upstream.Options, page, cancellationToken) && page.Last < bin.Head)
        {
            page = await feed.ReadAsync(bin.Bin, page.Last, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1730, LogLevel.Warning, "Upstream {Upstream} at {Url} cannot be pulled; retrying: {Reason}")]
        public static partial void Fault(ILogger logger, string upstream, Uri url, string reason);

        [LoggerMessage(
            1732,
            LogLevel.Warning,
            "Upstream {Upstream} at {Url} has other files than this cluster has of it, in bins {Bins}, though all of its feed is applied; looking for them"
        )]
        public static partial void Differs(ILogger logger, string upstream, Uri url, string bins);

        [LoggerMessage(1731, LogLevel.Information, "Upstream {Upstream} at {Url} can be pulled again")]
        public static partial void Works(ILogger logger, string upstream, Uri url);
    }
}
