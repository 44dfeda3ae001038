using FileTransfer.Cluster;

namespace FileTransfer.Feed;

/// <summary>Reads the feed as it grows, and has it applied.</summary>
/// <remarks>A notification is a hint; with every heartbeat of the node it is asked all the same whether a bin has grown.</remarks>
public sealed partial class FeedReader(
    Database database,
    ClusterMembership membership,
    NodePulse pulse,
    ThisNode node,
    IFeedSource source,
    FeedApplier applier,
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
        while (true)
        {
            var nextLook = Task.Delay(_leastPeriod, time, cancellationToken);
            var gap = await CatchUpAsync(cancellationToken);
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
    internal async Task<FeedGapException?> CatchUpAsync(CancellationToken cancellationToken)
    {
        FeedGapException? first = null;
        foreach (var bin in await source.FindGrownAsync(cancellationToken))
        {
            try
            {
                await CatchUpAsync(bin, cancellationToken);
            }
            catch (FeedGapException gap)
            {
                first ??= gap;
            }
        }

        return first;
    }

    private async Task CatchUpAsync(BinGrowth bin, CancellationToken cancellationToken)
    {
        var page = await source.ReadAsync(bin.Bin, bin.Position, cancellationToken);
        while (await applier.ApplyAsync(page, cancellationToken) && page.Last < bin.Head)
        {
            page = await source.ReadAsync(bin.Bin, page.Last, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1700, LogLevel.Error, "Node {Node} cannot read the feed: {Reason}")]
        public static partial void Gap(ILogger logger, string node, string reason);
    }
}
