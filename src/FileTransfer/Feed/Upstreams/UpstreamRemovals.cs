using FileTransfer.Catalog;

namespace FileTransfer.Feed.Upstreams;

/// <summary>
/// Which of a file's mutations is its newest, where a bin is not read in its order: owner of <c>filetransfer.upstream_removals</c>. An Add
/// that was applied is remembered by its file's row, a Remove by a row of its own.
/// </summary>
public static class UpstreamRemovals
{
    /// <summary>Those of a page's mutations after which none of the same file has been applied; asked where newer ones have been.</summary>
    public static async Task<IReadOnlyList<Mutation>> WithoutOvertakenAsync(
        NpgsqlConnection connection,
        string upstream,
        IReadOnlyList<Mutation> mutations,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT a.file_key FROM unnest(@keys::bytea[], @bins::smallint[], @sequences::bigint[]) AS a (file_key, bin, sequence)
            JOIN filetransfer.upstream_bins b ON b.upstream = @upstream AND b.bin = a.bin
            WHERE EXISTS (
                SELECT FROM filetransfer.upstream_removals r
                WHERE r.upstream = @upstream AND r.file_key = a.file_key AND r.sequence > a.sequence
            ) OR EXISTS (
                SELECT FROM filetransfer.upstream_files u
                WHERE u.upstream = @upstream AND u.file_key = a.file_key AND u.round = b.round AND u.sequence > a.sequence
            )
            """;
        var overtaken = await connection.QueryAsync<FileKey>(sql, ParametersOf(upstream, mutations), cancellationToken);
        return [.. mutations.ExceptBy(overtaken, mutation => mutation.Key)];
    }

    /// <summary>Remembers Removes that were applied though something that came before them has not been.</summary>
    public static Task PutAsync(
        NpgsqlConnection connection,
        string upstream,
        IReadOnlyList<Mutation> removes,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            INSERT INTO filetransfer.upstream_removals AS r (upstream, file_key, bin, sequence)
            SELECT @upstream, file_key, bin, sequence
            FROM unnest(@keys::bytea[], @bins::smallint[], @sequences::bigint[]) AS a (file_key, bin, sequence)
            ON CONFLICT (upstream, file_key) DO UPDATE SET sequence = EXCLUDED.sequence
            """;
        return removes.Count == 0
            ? Task.CompletedTask
            : connection.ExecuteAsync(sql, ParametersOf(upstream, removes), cancellationToken);
    }

    /// <summary>Forgets the Removes that nothing older can follow.</summary>
    public static Task ForgetSealedAsync(
        NpgsqlConnection connection,
        string upstream,
        UpstreamPosition position,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            DELETE FROM filetransfer.upstream_removals WHERE upstream = @upstream AND bin = @bin AND sequence <= @sealed
            """;
        var parameters = new
        {
            upstream,
            position.Bin,
            position.Sealed,
        };
        return connection.ExecuteAsync(sql, parameters, cancellationToken);
    }

    private static object ParametersOf(string upstream, IReadOnlyList<Mutation> mutations) =>
        new
        {
            upstream,
            keys = mutations.Select(mutation => mutation.Key).ToParameter(),
            bins = mutations.Select(mutation => (short)mutation.Bin).ToArray(),
            sequences = mutations.Select(mutation => mutation.Sequence).ToArray(),
        };
}
