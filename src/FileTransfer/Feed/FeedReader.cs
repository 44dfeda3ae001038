using FileTransfer.Cluster;
using FileTransfer.Concurrency;
using FileTransfer.Postgres;

namespace FileTransfer.Feed;

/// <summary>Reads the feed as it grows, and has it applied.</summary>
/// <remarks>A notification is a hint; the heads of the bins are asked for at every <see cref="_period"/> all the same.</remarks>
public sealed partial class FeedReader(
    Database database,
    ClusterMembership membership,
    ThisNode node,
    FeedApplier applier,
    TimeProvider time,
    ILogger<FeedReader> logger
) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    /// <summary>From one look to the next at least, so that what is added in quick succession is read in pages and not one by one.</summary>
    private static readonly TimeSpan _leastPeriod = TimeSpan.FromMilliseconds(20);

    private readonly AsyncAutoResetEvent _hint = new();

    /// <summary>What keeps the feed from being read, in words; null while nothing does.</summary>
    public string? Fault { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        membership.Notified += OnNotified;
        try
        {
            await membership.RunWhileJoinedAsync(ReadAsync, stoppingToken);
        }
        finally
        {
            membership.Notified -= OnNotified;
        }
    }

    private void OnNotified(string channel, string payload)
    {
        if (channel == FeedAppender.Channel)
        {
            _hint.Set();
        }
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
            await _hint.WaitAsync(_period, time, cancellationToken);
            await nextLook;
        }
    }

    /// <summary>Reads every bin to its head. A bin with a gap stays where it is, and the others go on.</summary>
    /// <returns>The first gap; null where there is none.</returns>
    internal async Task<FeedGapException?> CatchUpAsync(CancellationToken cancellationToken)
    {
        const string behind = """
            SELECT b.bin, b.head FROM filetransfer.bins b
            LEFT JOIN filetransfer.feed_positions p ON p.bin = b.bin AND p.node_id = @node
            WHERE b.head > coalesce(p.sequence, 0)
            ORDER BY b.bin
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var bins = await connection.QueryAsync<(short Bin, long Head)>(behind, new { node = node.Id }, cancellationToken);
        FeedGapException? first = null;
        foreach (var (bin, head) in bins)
        {
            try
            {
                while (await applier.ApplyPageAsync(connection, bin, cancellationToken) < head) { }
            }
            catch (FeedGapException gap)
            {
                first ??= gap;
            }
        }

        return first;
    }

    private static partial class Log
    {
        [LoggerMessage(1700, LogLevel.Error, "Node {Node} cannot read the feed: {Reason}")]
        public static partial void Gap(ILogger logger, string node, string reason);
    }
}
