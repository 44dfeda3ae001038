using FileTransfer.Catalog;
using FileTransfer.Downloads;

namespace FileTransfer.Wants.Loads;

/// <summary>What became of asking for a load.</summary>
internal enum BeginOutcome
{
    New,
    Same,

    /// <summary>The name has a newer one.</summary>
    Stale,

    /// <summary>A file of it was removed, and the order does not say that it is to be added again.</summary>
    Removed,
}

/// <param name="Load">The newest under the name, where it is not new; null where there is none.</param>
/// <param name="Removed">A file that was removed, and its label.</param>
internal sealed record BegunLoad(BeginOutcome Outcome, LoadRow? Load, (string Label, FileKey Key)? Removed);

/// <summary>Sets of files that this node is to have by a deadline: owner of <c>filetransfer.loads</c> and of its files and sources.</summary>
internal sealed partial class LoadTable(Database database, IOptions<DownloadOptions> downloads, NodeId node)
{
    /// <summary>How long a load that has ended can be asked about.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromDays(1);

    /// <summary>SQL: a load runs, or one that has ended is to be settled or forgotten.</summary>
    public static readonly string HasAnyToSettle = $"""
        EXISTS (SELECT FROM filetransfer.loads WHERE node_id = @node AND ended_at IS NULL)
        OR EXISTS (
            SELECT FROM filetransfer.loads
            WHERE node_id = @node AND (NOT settled OR ended_at < now() - interval '{Remembered.TotalSeconds:0} s')
        )
        """;

    /// <summary>Two of one priority differ by which is newer, as long as there are not more than this. All come before what a person puts first.</summary>
    private const int RanksOfAPriority = 100;

    private static readonly string _newest = $"""
        SELECT {LoadRow.Columns} FROM filetransfer.loads WHERE node_id = @node AND name = @name ORDER BY load_id DESC LIMIT 1
        """;

    /// <summary>All loads of a node that is taken out of the cluster.</summary>
    public static Task ForgetNodeAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken) =>
        connection.ExecuteAsync("DELETE FROM filetransfer.loads WHERE node_id = @node", new { node }, cancellationToken);

    public Task<LoadRow?> FindAsync(string name, CancellationToken cancellationToken) =>
        database.QuerySingleOrDefaultAsync<LoadRow>(_newest, new { node, name }, cancellationToken);

    /// <summary>A page of the newest of each name, those that run first and the newest of these first.</summary>
    /// <param name="after">The load that the page before ended with.</param>
    public Task<IReadOnlyList<LoadRow>> PageAsync(long? after, int limit, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT * FROM (
                SELECT DISTINCT ON (name) {LoadRow.Columns} FROM filetransfer.loads WHERE node_id = @node ORDER BY name, load_id DESC
            ) newest
            WHERE @after::bigint IS NULL
               OR (ended_at IS NOT NULL, -load_id) > ((SELECT ended_at IS NOT NULL FROM filetransfer.loads WHERE load_id = @after), -@after)
            ORDER BY ended_at IS NOT NULL, load_id DESC LIMIT @limit
            """;
        var parameters = new
        {
            node,
            after,
            limit,
        };
        return database.QueryAsync<LoadRow>(sql, parameters, cancellationToken);
    }

    /// <summary>Makes the load, instead of the one under its name. Nothing is wanted yet: its rounds do that.</summary>
    public async Task<BegunLoad> BeginAsync(LoadOrder order, CancellationToken cancellationToken)
    {
        const string hold = "SELECT pg_advisory_xact_lock(hashtextextended('filetransfer load ' || @node || ' ' || @name, 0))";
        const string removed = """
            SELECT given.label, f.file_key FROM unnest(@labels, @keys) AS given (label, file_key)
            JOIN filetransfer.files f USING (file_key) WHERE f.state = 'removed' ORDER BY given.label LIMIT 1
            """;
        const string replace = """
            UPDATE filetransfer.loads SET ended_at = clock_timestamp(), outcome = 'replaced', reason = 'a newer load has its name'
            WHERE node_id = @node AND name = @name AND ended_at IS NULL
            """;
        const string begin = """
            INSERT INTO filetransfer.loads (node_id, name, digest, files, sequence, priority, rank, rounds, pause, allowed, deadline)
            SELECT @node, @name, @digest, @files, @sequence, @priority, (@priority + 1) * @ranks + least(
                (SELECT coalesce(max(rank) % @ranks, 0) + 1 FROM filetransfer.loads
                 WHERE node_id = @node AND ended_at IS NULL AND priority = @priority), @ranks - 1
            ), @rounds, @pause, @allowed, clock_timestamp() + @allowed
            RETURNING load_id
            """;
        const string fill = """
            INSERT INTO filetransfer.load_files (load_id, label, file_key, metadata, readd)
            SELECT @load, given.label, given.file_key, CASE WHEN f.file_key IS NULL THEN given.metadata END, coalesce(f.state = 'removed', false)
            FROM unnest(@labels, @keys, @metadata) AS given (label, file_key, metadata)
            LEFT JOIN filetransfer.files f USING (file_key)
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var named = new { node, name = order.Name };
        await database.LockWaits.WatchAsync(connection, connection.ExecuteAsync(hold, named, cancellationToken));
        var newest = await connection.QuerySingleOrDefaultAsync<LoadRow>(_newest, named, cancellationToken);
        if (newest?.MakesStale(order) == true)
        {
            return new BegunLoad(BeginOutcome.Stale, newest, null);
        }

        if (newest?.IsSame(order) == true && await HoldsAsync(connection, newest, cancellationToken))
        {
            return new BegunLoad(BeginOutcome.Same, newest, null);
        }

        var files = new
        {
            labels = order.Labels,
            keys = order.Keys.ToParameter(),
            metadata = order.Metadata,
        };
        if (
            !order.Readds
            && (await connection.QueryAsync<(string, FileKey)>(removed, files, cancellationToken)).AsList() is [var gone]
        )
        {
            return new BegunLoad(BeginOutcome.Removed, newest, gone);
        }

        await connection.ExecuteAsync(replace, named, cancellationToken);
        var load = new
        {
            node,
            name = order.Name,
            digest = order.Digest,
            files = order.Labels.Length,
            sequence = order.Sequence ?? newest?.Sequence ?? 0,
            priority = order.Priority,
            ranks = RanksOfAPriority,
            rounds = order.Rounds,
            pause = order.Pause,
            allowed = order.Allowed,
        };
        var id = await connection.QuerySingleAsync<long>(begin, load, cancellationToken);
        var filling = new
        {
            load = id,
            files.labels,
            files.keys,
            files.metadata,
        };
        await connection.ExecuteAsync(fill, filling, cancellationToken);
        await database.Commits.CommitAsync(transaction);
        return new BegunLoad(BeginOutcome.New, newest, null);
    }

    /// <summary>Whether a load still stands for its files: it runs, or has stored all of them and they are still here.</summary>
    private async Task<bool> HoldsAsync(NpgsqlConnection connection, LoadRow load, CancellationToken cancellationToken) =>
        load.Outcome switch
        {
            null => true,
            "stored" => (await ProgressAsync(connection, load, [], cancellationToken)).Stored == load.Files,
            _ => false,
        };
}
