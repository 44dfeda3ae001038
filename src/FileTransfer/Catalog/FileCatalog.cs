using FileTransfer.Chunks.Ledger;
using FileTransfer.Postgres;

namespace FileTransfer.Catalog;

/// <summary>The files of the cluster: owner of <c>filetransfer.files</c>.</summary>
public sealed partial class FileCatalog(Database database, FeedHistory history, TimeProvider time)
{
    private const string FindSql = $"SELECT {FileRow.Columns} FROM filetransfer.files f WHERE f.file_key = @key";

    public Task<FileRecord?> FindAsync(FileKey key, CancellationToken cancellationToken) =>
        database.WithConnectionAsync(connection => FindAsync(connection, key, cancellationToken), cancellationToken);

    public static async Task<FileRecord?> FindAsync(
        NpgsqlConnection connection,
        FileKey key,
        CancellationToken cancellationToken
    ) => (await connection.QuerySingleOrDefaultAsync<FileRow>(FindSql, new { key }, cancellationToken))?.ToRecord();

    /// <summary>The file, and the state of its replica at <paramref name="here"/>.</summary>
    public async Task<ListedFile?> FindAsync(FileKey key, NodeId here, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT {FileRow.Columns}, r.state AS replica_state
            FROM filetransfer.files f
            LEFT JOIN filetransfer.replicas r ON r.node_id = @here AND r.file_key = f.file_key
            WHERE f.file_key = @key
            """;
        return (await database.QuerySingleOrDefaultAsync<FileRow>(sql, new { here, key }, cancellationToken))?.ToListed();
    }

    /// <summary>Makes the file known, and locks its row as <see cref="LockAsync"/> does; one that was removed becomes registered again.</summary>
    public static async Task<(RegisterOutcome Outcome, FileRecord File)> RegisterAsync(
        NpgsqlConnection connection,
        FileKey key,
        FileMetadata metadata,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            INSERT INTO filetransfer.files AS f (file_key, owner, bucket, location, size, fingerprint, state)
            VALUES (@key, @owner, @bucket, @location, @size, @fingerprint, 'registered')
            ON CONFLICT (file_key) DO UPDATE
                SET state = 'registered', generation = f.generation + 1, registered_at = now(), removed_at = NULL
                WHERE f.state = 'removed'
            RETURNING f.generation;
            {FindSql} FOR UPDATE
            """;
        var (owner, bucket, location, _, fingerprint) = metadata;
        var parameters = new
        {
            key,
            owner,
            bucket,
            location,
            size = (long)metadata.Size,
            fingerprint,
        };
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, parameters, cancellationToken: cancellationToken)
        );
        var outcome = await answers.ReadSingleOrDefaultAsync<int?>() switch
        {
            null => RegisterOutcome.Known,
            1 => RegisterOutcome.New,
            _ => RegisterOutcome.NewAfterRemoval,
        };
        return (outcome, (await answers.ReadSingleAsync<FileRow>()).ToRecord());
    }

    /// <summary>Locks the file's row against removal and registration until the transaction ends.</summary>
    public static async Task<FileRecord?> LockAsync(
        NpgsqlConnection connection,
        FileKey key,
        CancellationToken cancellationToken
    ) =>
        (
            await connection.QuerySingleOrDefaultAsync<FileRow>($"{FindSql} FOR UPDATE", new { key }, cancellationToken)
        )?.ToRecord();

    /// <summary>
    /// Locks, in the order of their keys, the rows of registered files that <paramref name="node"/> has stored, or <paramref name="other"/>
    /// where they were registered before a time.
    /// </summary>
    public static async Task<IReadOnlyList<FileKey>> LockRegisteredStoredAsync(
        NpgsqlConnection connection,
        NodeId node,
        NodeId? other,
        DateTime? before,
        int atMost,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT f.file_key
            FROM filetransfer.files f
            WHERE f.state = 'registered' AND EXISTS (
                SELECT FROM filetransfer.replicas r
                WHERE r.file_key = f.file_key AND r.state = 'stored'
                  AND (r.node_id = @node OR (r.node_id = @other AND f.registered_at < @before))
            )
            ORDER BY f.file_key LIMIT @atMost
            FOR UPDATE OF f SKIP LOCKED
            """;
        var parameters = new
        {
            node,
            other,
            before,
            atMost,
        };
        return [.. await connection.QueryAsync<FileKey>(sql, parameters, cancellationToken)];
    }

    /// <summary>
    /// Gives the file <c>@key</c>, whose row the transaction has locked, the state <c>@state</c> and the sequence <c>next.head</c> of the
    /// mutation that is appended with it.
    /// </summary>
    internal const string MutateSql = """
        UPDATE filetransfer.files
        SET state = @state, removed_at = CASE WHEN @state = 'removed' THEN now() END, sequence = next.head
        FROM next WHERE file_key = @key
        """;
}

/// <summary>What became of a registration.</summary>
public enum RegisterOutcome
{
    New,
    NewAfterRemoval,
    Known,
}
