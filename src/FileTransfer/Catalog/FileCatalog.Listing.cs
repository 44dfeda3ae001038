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

    /// <summary>As the indexes have it.</summary>
    private static readonly string _locationStart = $"substring(f.location FROM 1 FOR {IndexedLocation})";

    /// <summary>
    /// One page, within <see cref="PageBytes"/>, in the order of file keys; where locations are asked for, in the order of these, as far as they are indexed, and then of keys.
    /// Removed files are left out.
    /// </summary>
    public async Task<IReadOnlyList<ListedFile>> ListAsync(FileFilter filter, NodeId here, CancellationToken cancellationToken)
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
        var source = byState
            ? $"""
                filetransfer.replicas r
                JOIN LATERAL (SELECT * FROM filetransfer.files f WHERE f.file_key = r.file_key AND {files} OFFSET 0) f ON true
                WHERE r.node_id = @here AND {state} AND r.file_key > @after
                ORDER BY r.file_key
                """
            : $"""
                filetransfer.files f
                {join} LATERAL (
                    SELECT r.state, r.reason FROM filetransfer.replicas r WHERE r.node_id = @here AND r.file_key = f.file_key AND {state} OFFSET 0
                ) r ON true
                WHERE {files}
                ORDER BY {order}
                """;
        var rows = await database.QueryAsync<FileRow>(
            $"""
            SELECT * FROM (
                SELECT {FileRow.Columns}, r.state AS replica_state, r.reason, {PageBytes.Before(byState ? "r.file_key" : order)}
                FROM {source} LIMIT @limit
            ) page WHERE bytes_before < {PageBytes.Most}
            """,
            new
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
            },
            cancellationToken
        );
        return [.. rows.Select(row => row.ToListed())];
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
