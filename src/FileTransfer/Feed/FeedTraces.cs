using System.Diagnostics;
using FileTransfer.Catalog;

namespace FileTransfer.Feed;

/// <summary>Which trace a file came with: owner of <c>filetransfer.file_traces</c>.</summary>
/// <remarks>Where nobody listens, or this trace is not recorded, nothing is written and nobody asks.</remarks>
public static class FeedTraces
{
    /// <summary>Entries that are too old go with new ones, so many more than these.</summary>
    private const int Swept = 100;

    /// <summary>A download that comes later, as when a content was damaged, is nothing of that upload.</summary>
    private static readonly TimeSpan _kept = TimeSpan.FromDays(1);

    private static readonly ActivitySource _source = new("FileTransfer.Feed");

    /// <summary>An append of mutations; null where nobody listens.</summary>
    internal static Activity? Append(MutationKind kind, int mutations) =>
        _source.StartActivity("append")?.SetTag("mutation.kind", kind.ToString()).SetTag("mutation.count", mutations);

    /// <summary>Notes that files came with the trace that this is a part of.</summary>
    internal static Task NoteAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            DELETE FROM filetransfer.file_traces WHERE file_key IN (
                SELECT file_key FROM filetransfer.file_traces WHERE noted_at < now() - @kept ORDER BY noted_at LIMIT @atMost FOR UPDATE SKIP LOCKED
            );
            INSERT INTO filetransfer.file_traces (file_key, traceparent, noted_at)
            SELECT file_key, @traceparent, now() FROM unnest(@keys) AS one (file_key) ORDER BY file_key
            ON CONFLICT (file_key) DO UPDATE SET traceparent = EXCLUDED.traceparent, noted_at = EXCLUDED.noted_at
            """;
        return _source.HasListeners() && Activity.Current is { Recorded: true, Id: var traceparent }
            ? connection.ExecuteAsync(
                sql,
                new
                {
                    keys = keys.ToParameter(),
                    traceparent,
                    kept = _kept,
                    atMost = keys.Count + Swept,
                },
                cancellationToken
            )
            : Task.CompletedTask;
    }

    /// <summary>The traces that files came with, those that are known.</summary>
    public static async Task<IReadOnlyDictionary<FileKey, ActivityContext>> OfAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT file_key, traceparent FROM filetransfer.file_traces
            WHERE file_key = ANY(@keys) AND noted_at >= now() - @kept
            """;
        var noted = await connection.QueryAsync<(FileKey Key, string Traceparent)>(
            sql,
            new { keys = keys.ToParameter(), kept = _kept },
            cancellationToken
        );
        return noted.ToDictionary(
            file => file.Key,
            file => ActivityContext.TryParse(file.Traceparent, null, isRemote: true, out var context) ? context : default
        );
    }
}
