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
        var failures = 0;
        while (true)
        {
            var pause = _period;
            try
            {
                await ReadFeedAsync(upstream, firstBin: failures % FeedPage.Bins, cancellationToken);
            }
            catch (Exception e) when (e is UpstreamFaultException || (e is PostgresException && !DatabaseReach.IsAway(e)))
            {
                var reason = e is PostgresException ? $"the database does not take what it offers: {e.Message}" : e.Message;
                failures = upstream.Fault is null ? 0 : failures + 1;
                if (upstream.Fault?.Reason != reason)
                {
                    Log.Fault(_logger, upstream.Options.Name, upstream.Client.Url, reason);
                    upstream.Fault = new UpstreamFault(reason, _time.GetUtcNow());
                }

                upstream.Client.TryNextUrl();
                pause = _backoff.Bound(failures);
            }
            catch (Exception e)
                when (e is NotLeadingException or PositionMovedException
                    || (ClusterMembership.IsPassing(e) && !cancellationToken.IsCancellationRequested)
                )
            {
                // Of this cluster, not of the upstream: other upstreams wait for the same, each in its own loop.
                upstream.Fault = null;
            }

            await Task.Delay(pause, _time, cancellationToken);
        }
    }

    /// <summary>Reads the feed: its history, and beside it what comes.</summary>
    /// <returns>Where bins had to be compared first: how to go on is asked anew.</returns>
    private async Task ReadFeedAsync(Upstream upstream, int firstBin, CancellationToken cancellationToken)
    {
        var feed = new PulledFeed(upstream.Options, upstream.Client, _commands, _node.ClusterId, firstBin, _time);
        await HearAsync(upstream, feed, cancellationToken);
        if (feed.DueForComparison is { Count: > 0 } due)
        {
            await Parallel.ForEachAsync(
                due,
                AtOnce(upstream, cancellationToken),
                async (bin, token) => await _comparison.ReplaceFeedAsync(upstream.Options, upstream.Client, bin, token)
            );
            return;
        }

        await ReadGapsAsync(upstream, feed, feed.News, cancellationToken);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var history = CloseGapsAsync(upstream, feed, end.Token);
        var news = FollowAsync(upstream, feed, history, end.Token);
        try
        {
            // The history ends once it is read; what follows it ends by a fault.
            await await Task.WhenAny(history, news);
            await news;
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(history, news).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task CloseGapsAsync(Upstream upstream, PulledFeed feed, CancellationToken cancellationToken)
    {
        while (feed.Gaps is { Count: > 0 } gaps)
        {
            await ReadGapsAsync(upstream, feed, gaps, cancellationToken);
        }

        await ProveAsync(upstream, feed.Told!, cancellationToken);
    }

    private async Task FollowAsync(Upstream upstream, PulledFeed feed, Task history, CancellationToken cancellationToken)
    {
        while (true)
        {
            await HearAsync(upstream, feed, cancellationToken);
            await ReadGapsAsync(upstream, feed, feed.News, cancellationToken);
            if (history.IsCompletedSuccessfully)
            {
                await ProveAsync(upstream, feed.Told!, cancellationToken);
            }
        }
    }

    private async Task HearAsync(Upstream upstream, PulledFeed feed, CancellationToken cancellationToken)
    {
        if (!_leadership.IsLeading)
        {
            throw new NotLeadingException();
        }

        var isFirst = feed.Told is null;
        await feed.SeeAsync(await feed.AskAsync(cancellationToken), cancellationToken);
        upstream.See(feed);
        if (!isFirst && feed.DueForComparison.Count > 0)
        {
            throw new PositionMovedException();
        }
    }

    /// <summary>Reads gaps to their ends, some at a time.</summary>
    private async Task ReadGapsAsync(
        Upstream upstream,
        PulledFeed feed,
        IReadOnlyList<FeedGap> gaps,
        CancellationToken cancellationToken
    ) =>
        await Parallel.ForEachAsync(
            gaps,
            AtOnce(upstream, cancellationToken),
            async (gap, token) =>
            {
                for (var left = gap; left is not null; left = await feed.ReadAsync(left, token)) { }
                Succeed(upstream);
            }
        );

    private static ParallelOptions AtOnce(Upstream upstream, CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = upstream.Fault is null ? BinsAtOnce : 1, CancellationToken = cancellationToken };

    private void Succeed(Upstream upstream)
    {
        if (upstream.Fault is not null)
        {
            Log.Works(_logger, upstream.Options.Name, upstream.Client.Url);
            upstream.Fault = null;
        }
    }

    /// <summary>
    /// All that was told of is applied: now it must be just what the upstream has. Where the digests differ, what is in one set alone is found,
    /// and they are compared again.
    /// </summary>
    private async Task ProveAsync(Upstream upstream, UpstreamCursors told, CancellationToken cancellationToken)
    {
        Succeed(upstream);
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
