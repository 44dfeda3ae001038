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
public sealed class FeedApplier(Database database, NodeId node, QueueSignal queue, ReplicaChanges changes)
{
    /// <summary>Applies a page of a bin and moves this node's position behind it.</summary>
    /// <returns>False when the position is no longer where the page begins: nothing was done.</returns>
    /// <exception cref="FeedGapException">The page does not follow the position without a gap.</exception>
    public async Task<bool> ApplyAsync(FeedPage page, CancellationToken cancellationToken)
    {
        page.RequireDense();
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await MovePositionAsync(connection, page, cancellationToken))
        {
            return false;
        }

        // A Remove has ended every replica of this database in its own transaction, and an Add that was removed since is not wanted
        // any more: what is left of a page is the Adds that still stand.
        var added = page
            .Mutations.Where(mutation => mutation.Kind == MutationKind.Add)
            .Select(mutation => mutation.Key)
            .Distinct()
            .ToList();
        var wanted = await ReplicaTransitions.WantAddedAsync(connection, node, added, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (wanted.Count > 0)
        {
            queue.Set();
            changes.PublishWanted(wanted);
        }

        return true;
    }

    private async Task<bool> MovePositionAsync(NpgsqlConnection connection, FeedPage page, CancellationToken cancellationToken)
    {
        // A page that a failover loses is read again, so it waits for no standby.
        const string sql = """
            SET LOCAL synchronous_commit = local;
            INSERT INTO filetransfer.feed_positions (node_id, bin, sequence) VALUES (@node, @bin, 0) ON CONFLICT DO NOTHING;
            UPDATE filetransfer.feed_positions SET sequence = @to
            WHERE node_id = @node AND bin = @bin AND sequence = @from
            RETURNING true
            """;
        var parameters = new
        {
            node,
            bin = page.Bin,
            from = page.After,
            to = page.Last,
        };
        return await connection.QuerySingleOrDefaultAsync<bool>(sql, parameters, cancellationToken);
    }

    /// <summary>The positions of a node that is taken out of the cluster.</summary>
    public static Task ForgetNodeAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken) =>
        connection.ExecuteAsync("DELETE FROM filetransfer.feed_positions WHERE node_id = @node", new { node }, cancellationToken);
}
