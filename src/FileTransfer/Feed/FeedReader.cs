using FileTransfer.Cluster;

namespace FileTransfer.Feed;

/// <summary>Reads the feed as it grows, and has it applied.</summary>
/// <remarks>A notification is a hint; with every heartbeat of the node it is asked all the same whether a bin has grown.</remarks>
public sealed partial class FeedReader(
    Database database,
    ClusterMembership membership,
    NodePulse pulse,
    ThisNode node,
    WorkerRegistry workers,
    IFeedSource source,
    FeedApplier applier,
    FeedOffers offers,
    TimeProvider time,
    ILogger<FeedReader> logger
) : BackgroundService
{
    /// <summary>From one look to the next at least, so that what is added in quick succession is read in pages and not one by one.</summary>
    private static readonly TimeSpan _leastPeriod = TimeSpan.FromMilliseconds(20);

    private readonly AsyncAutoResetEvent _hint = new();

    /// <summary>What keeps the feed from being read, in words; null while nothing does.</summary>
    public string? Fault { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var growth = database.Notifications.Subscribe(FeedAppender.Grown, _ => _hint.Set());
        using var lag = pulse.Ask(SharedFeed.HasGrown, _hint.Set);
        await membership.RunWhileJoinedAsync(ReadAsync, stoppingToken);
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        var worker = workers.Add("feed", "reads the feed of the cluster into the node's queue");
        worker.Progress = () => Fault;
        while (true)
        {
            var nextLook = Task.Delay(_leastPeriod, time, cancellationToken);
            var gap = await worker.RunAsync(() => CatchUpAsync(cancellationToken), cancellationToken);
            if (gap is not null && gap.Message != Fault)
            {
                Log.Gap(logger, node.Id.Value, gap.Message);
            }

            Fault = gap?.Message;
            await _hint.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken);
            await nextLook;
        }
    }

    /// <summary>Reads every bin to its head. A bin with a gap stays where it is, and the others go on.</summary>
    /// <returns>The first gap; null where there is none.</returns>
    private async Task<FeedGapException?> CatchUpAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            FeedGapException? first = null;
            var hasCompared = false;
            var dense = new List<FeedPage>();
            foreach (var page in await source.ReadAsync(cancellationToken))
            {
                try
                {
                    if (page.IsCompacted)
                    {
                        hasCompared = true;
                        var wanted = await applier.CompareAsync(page, cancellationToken);
                        Log.Compared(logger, node.Id.Value, page.After + 1, page.Bin, page.RetainedFrom, wanted);
                        continue;
                    }

                    page.RequireDense();
                    dense.Add(page);
                }
                catch (FeedGapException gap)
                {
                    first ??= gap;
                }
            }

            await ApplyAsync(dense, cancellationToken);
            if (!hasCompared && dense.TrueForAll(page => page.Last == page.Head))
            {
                return first;
            }
        }
    }

    /// <summary>By the lanes, as long as one is free; else into the queue.</summary>
    private async Task ApplyAsync(List<FeedPage> read, CancellationToken cancellationToken)
    {
        IReadOnlyList<FeedPage> pages = read;
        while (pages.Count > 0)
        {
            var left = await offers.OfferAsync(pages, cancellationToken);
            if (left == pages)
            {
                foreach (var page in pages)
                {
                    await applier.ApplyAsync(page, cancellationToken);
                }

                return;
            }

            pages = left;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1701,
            LogLevel.Information,
            "Node {Node} would read on at {From} in bin {Bin} of the feed, which is kept from {RetainedFrom} on: it compared the bin's files, and wants {Wanted} more"
        )]
        public static partial void Compared(ILogger logger, string node, long from, short bin, long retainedFrom, int wanted);

        [LoggerMessage(1700, LogLevel.Error, "Node {Node} cannot read the feed: {Reason}")]
        public static partial void Gap(ILogger logger, string node, string reason);
    }
}
