using System.Diagnostics.CodeAnalysis;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Catalog;

/// <content>Pages of files.</content>
/// <remarks>
/// However deep a page is, only its own rows are read: it goes on in an index behind the last file of the page before, and what is beside each file
/// is looked up one by one (OFFSET 0), for joined as a whole it would be read from its beginning.
/// </remarks>
public sealed partial class FileCatalog
{
    /// <summary>So many bytes of a location are in the indexes; a longer one would not fit into them.</summary>
    private const int IndexedLocation = 128;

    /// <summary>A page for which no index is ends after so many files were looked at, however few of them are on it.</summary>
    public const int MostLookedAt = 20_000;

    /// <summary>As the indexes have it.</summary>
    private static readonly string _locationStart = $"substring(f.location FROM 1 FOR {IndexedLocation})";

    /// <summary>
    /// One page, within <see cref="PageBytes"/>, in the order of file keys; where locations are asked for, in the order of these, as far as they are indexed, and then of keys.
    /// Removed files are left out.
    /// </summary>
    public async Task<FilePage> ListAsync(FileFilter filter, NodeId here, CancellationToken cancellationToken)
    {
        var after = filter.After;
        var byState = filter is { State: not null, LocationPrefix: null };
        var prefix = filter.LocationPrefix?.ToArray();
        var until = prefix is null ? null : BytesBehind(prefix);

        // Only what is asked for is in the statement, so that each filter finds its index.
        string?[] conditions =
        [
            "f.state <> 'removed'",
            filter.Bucket is null ? null : "f.bucket = @bucket",
            filter.Owner is null ? null : "f.owner = @owner",
            prefix is null ? null : $"{_locationStart} >= @from",
            until is null ? null : $"{_locationStart} < @until",
            prefix?.Length > IndexedLocation ? "substring(f.location FROM 1 FOR length(@prefix)) = @prefix" : null,
            after is null || byState ? null
            : prefix is null ? "f.file_key > @after"
            : $"({_locationStart}, f.file_key) > (@afterLocation, @after)",
        ];
        var files = string.Join(" AND ", conditions.OfType<string>());
        var order = prefix is null ? "f.file_key" : $"{_locationStart}, f.file_key";
        var state = filter.State is { } asked ? ReplicaSql.IsIn(asked) : "true";
        var join = filter.State is null ? "LEFT JOIN" : "JOIN";

        // The state is one table's, what else is asked for the other's: no index has both.
        var isBounded = filter.State is not null;
        var looked = byState
            ? $"SELECT r.file_key, r.state, r.reason FROM filetransfer.replicas r WHERE r.node_id = @here AND {state} AND r.file_key > @after ORDER BY r.file_key"
            : $"SELECT f.*, {_locationStart} AS start FROM filetransfer.files f WHERE {files} ORDER BY {order}";
        var listed =
            byState ? "r.file_key"
            : isBounded ? "f.start, f.file_key"
            : order;
        var source = byState
            ? $"""
                ({looked} LIMIT {MostLookedAt}) r
                JOIN LATERAL (SELECT * FROM filetransfer.files f WHERE f.file_key = r.file_key AND {files} OFFSET 0) f ON true
                """
            : $"""
                {(isBounded ? $"({looked} LIMIT {MostLookedAt})" : "filetransfer.files")} f
                {join} LATERAL (
                    SELECT r.state, r.reason FROM filetransfer.replicas r WHERE r.node_id = @here AND r.file_key = f.file_key AND {state} OFFSET 0
                ) r ON true
                {(isBounded ? "" : $"WHERE {files}")}
                """;
        var parameters = new
        {
            here,
            filter.Bucket,
            filter.Owner,
            prefix,
            from = Indexed(prefix),
            until,
            after = after?.Key.ToArray() ?? [],
            afterLocation = Indexed(after?.Metadata.Location.ToArray()),
            filter.Limit,
        };
        var rows = await database.QueryAsync<FileRow>(
            $"""
            SELECT * FROM (
                SELECT {FileRow.Columns}, r.state AS replica_state, r.reason, {PageBytes.Before(listed)}
                FROM {source} ORDER BY {listed} LIMIT @limit
            ) page WHERE bytes_before < {PageBytes.Most}
            """,
            parameters,
            cancellationToken
        );
        List<ListedFile> found = [.. rows.Select(row => row.ToListed())];
        if (found.Count == filter.Limit || PageBytes.AreReached(found.Select(one => one.File.Metadata)))
        {
            return new FilePage(found, found[^1].File);
        }

        IReadOnlyList<FileKey> last = isBounded
            ? await database.QueryAsync<FileKey>(
                $"SELECT file_key FROM ({looked} OFFSET {MostLookedAt - 1} LIMIT 1) last",
                parameters,
                cancellationToken
            )
            : [];
        return new FilePage(found, last is [var key] ? await FindAsync(key, cancellationToken) : null);
    }

    [return: NotNullIfNotNull(nameof(location))]
    private static byte[]? Indexed(byte[]? location) => location?[..Math.Min(location.Length, IndexedLocation)];

    /// <summary>The first bytes behind all that begin with these, in as many as are indexed; null where none are behind.</summary>
    private static byte[]? BytesBehind(byte[] prefix)
    {
        var start = Indexed(prefix).AsSpan().TrimEnd(byte.MaxValue).ToArray();
        if (start.Length == 0)
        {
            return null;
        }

        start[^1]++;
        return start;
    }
}
