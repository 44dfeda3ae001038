using FileTransfer.Catalog;

namespace FileTransfer.Feed.Upstreams;

/// <summary>
/// Files of upstreams that this cluster claims by the word of a node that does not lead: owner of <c>filetransfer.due_claims</c>. The leader
/// appends their Adds.
/// </summary>
public static class DueClaims
{
    /// <summary>SQL: there are some.</summary>
    public const string Any = "EXISTS (SELECT FROM filetransfer.due_claims)";

    public static Task PutAsync(NpgsqlConnection connection, FileKey key, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            "INSERT INTO filetransfer.due_claims (file_key) VALUES (@key) ON CONFLICT DO NOTHING",
            new { key },
            cancellationToken
        );

    /// <summary>Takes some of them, which the transaction locks.</summary>
    /// <returns>Those that are added, and the cluster's own.</returns>
    public static async Task<IEnumerable<FileKey>> TakeAsync(
        NpgsqlConnection connection,
        int atMost,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            DELETE FROM filetransfer.due_claims WHERE file_key IN (
                SELECT file_key FROM filetransfer.due_claims ORDER BY file_key LIMIT @atMost
            ) RETURNING file_key
            """;
        var keys = (await connection.QueryAsync<FileKey>(sql, new { atMost }, cancellationToken)).AsList();
        var files = await FileCatalog.LockAsync(connection, keys, cancellationToken);
        return files.Where(file => file is { State: FileState.Added, IsOwn: true }).Select(file => file.Key);
    }
}
