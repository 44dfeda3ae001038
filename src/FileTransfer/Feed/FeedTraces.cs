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
    internal static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    /// <summary>The trace that the file <c>f</c> came with, which others are told; null where none is known.</summary>
    internal const string Noted =
        "(SELECT t.traceparent FROM filetransfer.file_traces t WHERE t.file_key = f.file_key AND t.noted_at >= now() - @kept)";

    private static readonly ActivitySource _source = new("FileTransfer.Feed");

    /// <summary>An append of mutations; null where nobody listens.</summary>
    /// <param name="trace">Of the first of them, where it comes from elsewhere: this is a part of it where it is of nothing else.</param>
    internal static Activity? Append(MutationKind kind, int mutations, string? trace = null) =>
        _source
            .StartActivity("append", ActivityKind.Internal, Activity.Current?.Context ?? ContextOf(trace))
            ?.SetTag("mutation.kind", kind.ToString())
            .SetTag("mutation.count", mutations);

    /// <summary>A shipment: a part of the trace that its first file came with, with links to those of the others; null where nobody listens.</summary>
    internal static Activity? Ship(FeedPage page)
    {
        List<ActivityContext> traces =
        [
            .. page
                .Mutations.Select(mutation => ContextOf(mutation.Details?.Traceparent))
                .Where(trace => trace != default)
                .Distinct(),
        ];
        return traces is [var first, .. var others]
            ? _source.StartActivity("ship", ActivityKind.Internal, first, links: others.Select(other => new ActivityLink(other)))
            : null;
    }

    /// <summary>Notes which traces files came with: from elsewhere with theirs, else with what this is a part of.</summary>
    internal static Task NoteAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken,
        Func<FileKey, string?>? traceOf = null
    ) => _source.HasListeners() ? NoteHeardAsync(connection, keys, traceOf, cancellationToken) : Task.CompletedTask;

    private static Task NoteHeardAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<FileKey> keys,
        Func<FileKey, string?>? traceOf,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            DELETE FROM filetransfer.file_traces WHERE file_key IN (
                SELECT file_key FROM filetransfer.file_traces WHERE noted_at < now() - @kept ORDER BY noted_at LIMIT @atMost FOR UPDATE SKIP LOCKED
            );
            INSERT INTO filetransfer.file_traces (file_key, traceparent, noted_at)
            SELECT file_key, traceparent, now() FROM unnest(@keys, @traceparents) AS one (file_key, traceparent) ORDER BY file_key
            ON CONFLICT (file_key) DO UPDATE SET traceparent = EXCLUDED.traceparent, noted_at = EXCLUDED.noted_at
            """;
        var current = Activity.Current is { Recorded: true, Id: var id } ? id : null;
        var traced = keys.Select(key => (Key: key, Trace: RecordedOf(traceOf?.Invoke(key)) ?? current))
            .Where(file => file.Trace is not null)
            .ToList();
        return traced.Count > 0
            ? connection.ExecuteAsync(
                sql,
                new
                {
                    keys = traced.Select(file => file.Key).ToParameter(),
                    traceparents = traced.Select(file => file.Trace).ToArray(),
                    kept = Kept,
                    atMost = traced.Count + Swept,
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
            new { keys = keys.ToParameter(), kept = Kept },
            cancellationToken
        );
        return noted.ToDictionary(file => file.Key, file => ContextOf(file.Traceparent));
    }

    private static ActivityContext ContextOf(string? traceparent) =>
        ActivityContext.TryParse(traceparent, null, isRemote: true, out var context) ? context : default;

    /// <summary>What another cluster says, where it is a trace that is recorded.</summary>
    private static string? RecordedOf(string? traceparent) =>
        ContextOf(traceparent) is { TraceFlags: ActivityTraceFlags.Recorded } trace
            ? $"00-{trace.TraceId}-{trace.SpanId}-01"
            : null;
}
