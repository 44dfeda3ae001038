using Dapper;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Concurrency;
using FileTransfer.Identity;
using FileTransfer.Postgres;
using Npgsql;

namespace FileTransfer.Feed;

/// <summary>A bin's sequences are not dense: something was lost that must not be stepped over.</summary>
public sealed class FeedGapException(int bin, long expected, long? found)
    : Exception(
        $"Bin {bin} of the feed has a gap: after {expected - 1} comes {found?.ToString() ?? "nothing"}. The database lost part of the feed; restore it from a backup."
    );

/// <summary>Brings the feed into this node's queue: owner of <c>filetransfer.feed_positions</c>.</summary>
/// <remarks>
/// The position of a bin moves in the transaction that puts a page's effects into the queue, so each mutation takes effect once and none
/// is lost. A notification is a hint; the heads of the bins are asked for at every <see cref="_period"/> all the same.
/// </remarks>
public sealed partial class FeedReader(
    Database database,
    ClusterMembership membership,
    ThisNode node,
    QueueSignal queue,
    ReplicaChanges news,
    TimeProvider time,
    ILogger<FeedReader> logger
) : BackgroundService
{
    private const int PageSize = 500;
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
        var bins = await connection.QueryAsync<(short Bin, long Head)>(
            new CommandDefinition(behind, new { node = node.Id.Value }, cancellationToken: cancellationToken)
        );
        FeedGapException? first = null;
        foreach (var (bin, head) in bins)
        {
            try
            {
                while (await ReadPageAsync(connection, bin, cancellationToken) < head) { }
            }
            catch (FeedGapException gap)
            {
                first ??= gap;
            }
        }

        return first;
    }

    /// <summary>Puts one page of a bin into the queue and moves the position behind it. Returns the new position.</summary>
    /// <remarks>Asked for only while the bin's head is ahead, so an empty page is a gap as well.</remarks>
    private async Task<long> ReadPageAsync(NpgsqlConnection connection, short bin, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (from, page) = await NextPageAsync(connection, bin, cancellationToken);
        if (page.Count == 0)
        {
            throw new FeedGapException(bin, from + 1, null);
        }

        for (var i = 0; i < page.Count; i++)
        {
            if (page[i].Sequence != from + 1 + i)
            {
                throw new FeedGapException(bin, from + 1 + i, page[i].Sequence);
            }
        }

        // A Remove has ended every replica of this database in its own transaction, and an Add that was removed since is not wanted
        // any more: what is left of a page is the Adds that still stand.
        var added = page.Where(mutation => mutation.Kind == MutationKind.Add)
            .Select(mutation => mutation.Key)
            .Distinct()
            .ToList();
        var wanted = await ReplicaTable.WantAddedAsync(connection, node.Id, added, cancellationToken);
        await connection.ExecuteAsync(
            new CommandDefinition(
                "UPDATE filetransfer.feed_positions SET sequence = @to WHERE node_id = @node AND bin = @bin",
                new
                {
                    to = page[^1].Sequence,
                    node = node.Id.Value,
                    bin,
                },
                cancellationToken: cancellationToken
            )
        );
        await transaction.CommitAsync(cancellationToken);
        if (wanted.Count > 0)
        {
            queue.Set();
            news.PublishWanted(wanted);
        }

        return page[^1].Sequence;
    }

    /// <summary>Locks the position in a bin, and reads what comes behind it.</summary>
    private async Task<(long From, List<Mutation> Page)> NextPageAsync(
        NpgsqlConnection connection,
        short bin,
        CancellationToken cancellationToken
    )
    {
        // A page that a failover loses is read again, so it waits for no standby.
        const string sql = """
            SET LOCAL synchronous_commit = local;
            INSERT INTO filetransfer.feed_positions (node_id, bin, sequence) VALUES (@node, @bin, 0) ON CONFLICT DO NOTHING;
            SELECT sequence FROM filetransfer.feed_positions WHERE node_id = @node AND bin = @bin FOR UPDATE;
            SELECT sequence, kind, file_key FROM filetransfer.mutations
            WHERE bin = @bin
              AND sequence > (SELECT sequence FROM filetransfer.feed_positions WHERE node_id = @node AND bin = @bin)
            ORDER BY sequence LIMIT @limit
            """;
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(
                sql,
                new
                {
                    node = node.Id.Value,
                    bin,
                    limit = PageSize,
                },
                cancellationToken: cancellationToken
            )
        );
        var from = await answers.ReadSingleAsync<long>();
        var rows = await answers.ReadAsync<(long Sequence, string Kind, byte[] Key)>();
        var page = rows.Select(row => new Mutation(
            bin,
            row.Sequence,
            Enum.Parse<MutationKind>(row.Kind, ignoreCase: true),
            new FileKey(row.Key)
        ));
        return (from, page.ToList());
    }

    /// <summary>The positions of a node that is taken out of the cluster.</summary>
    public static Task ForgetNodeAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            new CommandDefinition(
                "DELETE FROM filetransfer.feed_positions WHERE node_id = @node",
                new { node = node.Value },
                cancellationToken: cancellationToken
            )
        );

    private static partial class Log
    {
        [LoggerMessage(1700, LogLevel.Error, "Node {Node} cannot read the feed: {Reason}")]
        public static partial void Gap(ILogger logger, string node, string reason);
    }
}
