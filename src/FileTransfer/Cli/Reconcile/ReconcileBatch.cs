using FileTransfer.Cli.Client;
using FileTransfer.Feed.Reconciliation;

namespace FileTransfer.Cli.Reconcile;

/// <summary>Sends decisions to the leader, some hundred at a time.</summary>
internal sealed class ReconcileBatch(NodeSet nodes)
{
    private const int MostFiles = 200;

    /// <summary>A location may have 1 MiB, and twice that as hex; a request takes 4 MiB.</summary>
    private const long MostBytes = 1024 * 1024;

    private readonly List<ReconcileFileResource> _files = [];
    private readonly List<string> _changed = [];
    private long _bytes;

    public long Restored { get; private set; }

    public long Removed { get; private set; }

    /// <summary>The files that somebody else changed meanwhile.</summary>
    public IReadOnlyList<string> Changed => _changed;

    public async Task AddAsync(Verdict verdict)
    {
        var restore = verdict.Kind == VerdictKind.Remove ? null : FileRegistration.Of(verdict.Metadata!);
        var bytes = restore is null ? 0 : verdict.Metadata!.Location.Length;
        if (_files.Count == MostFiles || (_files.Count > 0 && _bytes + bytes > MostBytes))
        {
            await SendAsync();
        }

        _bytes += bytes;
        _files.Add(
            new ReconcileFileResource(
                verdict.Key.ToString(),
                restore,
                restore is null ? null : verdict.PinnedAt,
                verdict.Catalog?.State.ToString().ToLowerInvariant(),
                verdict.Catalog?.Generation ?? 0
            )
        );
    }

    public async Task SendAsync()
    {
        if (_files.Count == 0)
        {
            return;
        }

        var request = new ReconcileRequest(_files);
        var done = await nodes.RunAsync(node =>
            node.AskAsync<ReconcileResource>(HttpMethod.Post, Routes.Reconcile, NodeClient.Json(request), NodeClient.LongWithin)
        );
        Restored += done.Restored;
        Removed += done.Removed;
        _changed.AddRange(done.Changed);
        _files.Clear();
        _bytes = 0;
    }
}
