using FileTransfer.Catalog.Replicas;
using FileTransfer.Postgres;

namespace FileTransfer.Feed;

/// <summary>A bin's sequences are not dense: something was lost that must not be stepped over.</summary>
public sealed class FeedGapException(int bin, long expected, long? found)
    : Exception(
        $"Bin {bin} of the feed has a gap: after {expected - 1} comes {found?.ToString() ?? "nothing"}. The database lost part of the feed; restore it from a backup."
    );

/// <summary>
/// Applies the feed's Adds to this node's queue, page by page: owner of <c>filetransfer.feed_positions</c>. A Remove has taken effect
/// on every node in the leader's transaction (<see cref="FileCommands.RemoveAsync"/>).
/// </summary>
/// <remarks>
/// The position of a bin moves in the transaction that puts a page's effects into the queue, so each mutation takes effect once and none
/// is lost.
/// </remarks>
public sealed class FeedApplier(NodeId node, QueueSignal queue, ReplicaChanges changes)
{
    private const int PageSize = 500;

    /// <summary>Applies one page of a bin and moves the position behind it. Returns the new position.</summary>
    /// <remarks>Asked for only while the bin's head is ahead, so an empty page is a gap as well.</remarks>
    public async Task<long> ApplyPageAsync(NpgsqlConnection connection, short bin, CancellationToken cancellationToken)
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
        var wanted = await ReplicaTransitions.WantAddedAsync(connection, node, added, cancellationToken);
        var position = new
        {
            to = page[^1].Sequence,
            node,
            bin,
        };
        await connection.ExecuteAsync(
            "UPDATE filetransfer.feed_positions SET sequence = @to WHERE node_id = @node AND bin = @bin",
            position,
            cancellationToken
        );
        await transaction.CommitAsync(cancellationToken);
        if (wanted.Count > 0)
        {
            queue.Set();
            changes.PublishWanted(wanted);
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
        var parameters = new
        {
            node,
            bin,
            limit = PageSize,
        };
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, parameters, cancellationToken: cancellationToken)
        );
        var from = await answers.ReadSingleAsync<long>();
        var rows = await answers.ReadAsync<(long Sequence, MutationKind Kind, FileKey Key)>();
        return (from, [.. rows.Select(row => new Mutation(bin, row.Sequence, row.Kind, row.Key))]);
    }

    /// <summary>The positions of a node that is taken out of the cluster.</summary>
    public static Task ForgetNodeAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken) =>
        connection.ExecuteAsync("DELETE FROM filetransfer.feed_positions WHERE node_id = @node", new { node }, cancellationToken);
}
