using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Feed;

/// <summary>
/// Applies the feed's Adds to this node's queue, page by page: owner of <c>filetransfer.feed_positions</c>. A Remove has taken effect
/// on every node in the leader's transaction (<see cref="FileCommands.RemoveAsync"/>).
/// </summary>
/// <remarks>
/// The position of a bin moves in the transaction that puts a page's effects into the queue, so each mutation takes effect once and none
/// is lost.
/// </remarks>
public sealed class FeedApplier(Database database, NodeId node, ReplicaQueue replicas, QueueSignal queue, ReplicaChanges changes)
{
    private const int ComparedAtOnce = 500;

    /// <summary>Moves the positions of bins behind pages of theirs, those that are where the page begins; its rows are these bins.</summary>
    private const string MoveSql = """
        INSERT INTO filetransfer.feed_positions AS p (node_id, bin, sequence)
        SELECT @node, page.bin, page.last FROM unnest(@bins::smallint[], @after::bigint[], @last::bigint[]) AS page (bin, after, last)
        WHERE page.after = 0 OR EXISTS (SELECT FROM filetransfer.feed_positions known WHERE known.node_id = @node AND known.bin = page.bin)
        ON CONFLICT (node_id, bin) DO UPDATE
            SET sequence = EXCLUDED.sequence WHERE p.sequence = (@after::bigint[])[array_position(@bins::smallint[], p.bin)]
        RETURNING bin
        """;

    /// <summary>Applies a page of a bin and moves this node's position behind it.</summary>
    /// <returns>False when the position is no longer where the page begins: nothing was done.</returns>
    public async Task<bool> ApplyAsync(FeedPage page, CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await MoveAsync(connection, page, page.Last, cancellationToken))
        {
            return false;
        }

        var wanted = await ReplicaTransitions.WantAddedAsync(connection, node, Added([page]), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Publish(wanted, isReady: wanted.Count > 0);
        return true;
    }

    /// <summary>
    /// Wants what is added of a bin that is not kept from this node's position on, and moves the position to the head that the bin had before:
    /// every Add up to there shows in the files, and every Remove took effect when it was appended.
    /// </summary>
    /// <returns>How many files became wanted.</returns>
    public async Task<int> CompareAsync(FeedPage bin, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT file_key FROM filetransfer.files
            WHERE file_key > @after AND file_key <= @last AND state = 'added' ORDER BY file_key LIMIT @limit
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var keys = KeyPrefix.OfBin(bin.Bin);
        var after = keys.Before;
        var count = 0;
        while (true)
        {
            var parameters = new
            {
                keys.Last,
                after,
                limit = ComparedAtOnce,
            };
            var added = (await connection.QueryAsync<FileKey>(sql, parameters, cancellationToken)).AsList();
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var wanted = await ReplicaTransitions.WantAddedAsync(connection, node, added, cancellationToken);
            var isEnd = added.Count < ComparedAtOnce;
            if (isEnd)
            {
                await MoveAsync(connection, bin, bin.Head, cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
            Publish(wanted, isReady: wanted.Count > 0);
            count += wanted.Count;
            if (isEnd)
            {
                return count;
            }

            after = added[^1].ToArray();
        }
    }

    /// <summary>
    /// The same of pages of several bins, on the session of a lane, which has claimed in the end what is small, was never here and is at
    /// another node. A page whose position is not where it begins is left out.
    /// </summary>
    public async Task<ClaimOutcome> ClaimAsync(
        LockConnection session,
        IReadOnlyList<FeedPage> pages,
        ClaimLimit limit,
        CancellationToken cancellationToken
    )
    {
        var move = new FeedMove(
            MoveSql,
            [
                ("bins", pages.Select(page => page.Bin).ToArray()),
                ("after", pages.Select(page => page.After).ToArray()),
                ("last", pages.Select(page => page.Last).ToArray()),
            ]
        );
        var (claims, wanted) = await replicas.ClaimAddedAsync(session, Added(pages), move, limit, cancellationToken);
        Publish(wanted, isReady: wanted.Count > claims.Count);
        return claims.Count > 0 ? new ClaimOutcome.Claimed(claims, MayBeMore: false) : new ClaimOutcome.Empty();
    }

    /// <summary>The positions of a node that is taken out of the cluster.</summary>
    public static Task ForgetNodeAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken) =>
        connection.ExecuteAsync("DELETE FROM filetransfer.feed_positions WHERE node_id = @node", new { node }, cancellationToken);

    /// <summary>
    /// A Remove has ended every replica of this database in its own transaction, and an Add that was removed since is not wanted any more:
    /// what is left of a page is the Adds that still stand.
    /// </summary>
    private static List<FileKey> Added(IReadOnlyList<FeedPage> pages) =>
        [
            .. pages
                .SelectMany(page => page.Mutations)
                .Where(mutation => mutation.Kind == MutationKind.Add)
                .Select(mutation => mutation.Key)
                .Distinct(),
        ];

    /// <returns>False when the position is no longer where the page begins.</returns>
    private async Task<bool> MoveAsync(NpgsqlConnection connection, FeedPage page, long to, CancellationToken cancellationToken)
    {
        // A page that a failover loses is read again, so it waits for no standby.
        var parameters = new
        {
            node,
            bins = new[] { page.Bin },
            after = new[] { page.After },
            last = new[] { to },
        };
        var moved = await connection.QueryAsync<short>(
            $"SET LOCAL synchronous_commit = local; {MoveSql}",
            parameters,
            cancellationToken
        );
        return moved.Any();
    }

    private void Publish(IReadOnlyList<ReplicaChange> wanted, bool isReady)
    {
        if (isReady)
        {
            queue.Set();
        }

        changes.PublishWanted(wanted);
    }
}
