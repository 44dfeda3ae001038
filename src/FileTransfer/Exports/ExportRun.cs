namespace FileTransfer.Exports;

/// <summary>What an export is to do.</summary>
/// <param name="Filter">Of all files, those that it lets through.</param>
/// <param name="Keys">These files instead; null = those of the filter.</param>
/// <param name="Verifies">What is in the share already is read and proven.</param>
/// <param name="Hold">How long files that the cluster has removed stay after an export has found that; null = they stay.</param>
public sealed record ExportOrder(ExportFilter Filter, IReadOnlyList<FileKey>? Keys, bool Verifies, TimeSpan? Hold);

/// <summary>How many files an export has seen, and what became of them.</summary>
public sealed record ExportCounts(
    int Kept,
    int Gone,
    int Failed,
    int Pruned,
    int Held,
    IReadOnlyDictionary<ExportMeans, int> Exported
);

/// <summary>Is told of each file, by several threads at once.</summary>
public interface IExportWatcher
{
    IExportProgress Begin(ExportFile file);

    /// <param name="means">Null where it was in the share already.</param>
    void Tell(ExportFile file, ExportMeans? means);

    void Fail(FileKey key, Exception fault);
}

/// <summary>How many bytes of a file have come; disposed of when no more will.</summary>
public interface IExportProgress : IProgress<long>, IDisposable;

/// <summary>One run of an export: file after file from an origin into a share.</summary>
internal sealed class ExportRun(
    IExportOrigin origin,
    ExportFolder share,
    ExportOrder order,
    IExportWatcher watcher,
    TimeProvider time
)
{
    /// <summary>Enough to hide round trips and the disk's confirmations from each other.</summary>
    private const int AtOnce = 4;

    private readonly ConcurrentDictionary<FileKey, bool> _known = new();
    private readonly int[] _exported = new int[Enum.GetValues<ExportMeans>().Length];
    private int _kept;
    private int _gone;
    private int _failed;
    private (int Pruned, int Held) _pruning;

    public ExportCounts Counts =>
        new(
            _kept,
            _gone,
            _failed,
            _pruning.Pruned,
            _pruning.Held,
            Enum.GetValues<ExportMeans>()
                .Where(means => _exported[(int)means] > 0)
                .ToDictionary(means => means, means => _exported[(int)means])
        );

    /// <summary>What fails of one file alone is told, and the others go on.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var files = order.Keys is { } keys
            ? keys.ToAsyncEnumerable().Select(key => (Key: key, Listed: (ExportFile?)null))
            : origin.FilesAsync(order.Filter, cancellationToken).Select(file => (file.Key, Listed: (ExportFile?)file));
        await Parallel.ForEachAsync(
            files,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (file, token) =>
            {
                try
                {
                    await OneAsync(file.Listed ?? await origin.FindAsync(file.Key, token), token);
                }
                catch (Exception fault) when (file.Listed is not null && origin.FaultOf(fault) == ExportFault.Gone)
                {
                    // It was stored when the listing was made; a removal is no fault of the export.
                    Interlocked.Increment(ref _gone);
                }
                catch (Exception fault) when (origin.FaultOf(fault) != ExportFault.OfAll)
                {
                    Interlocked.Increment(ref _failed);
                    watcher.Fail(file.Key, fault);
                }
            }
        );
        if (order.Hold is { } hold)
        {
            var known = _known.Keys.ToHashSet();
            _pruning = await share.PruneAsync(
                known,
                key => origin.HasRemovedAsync(key, cancellationToken),
                hold,
                time.GetUtcNow()
            );
        }

        await share.WriteIndexAsync(cancellationToken);
    }

    private async Task OneAsync(ExportFile file, CancellationToken cancellationToken)
    {
        var (key, metadata) = file;
        _known[key] = true;
        using var progress = watcher.Begin(file);
        var isThere = order.Verifies
            ? await share.ProvesAsync(key, metadata, progress, cancellationToken)
            : share.Has(key, metadata);
        if (isThere)
        {
            Interlocked.Increment(ref _kept);
            watcher.Tell(file, null);
            return;
        }

        using var target = await share.BeginAsync(key, metadata, cancellationToken);
        progress.Report(target.BytesWritten);
        var means = await origin.FetchAsync(file, target, progress, cancellationToken);
        await share.PublishAsync(key, metadata, target, cancellationToken);
        Interlocked.Increment(ref _exported[(int)means]);
        watcher.Tell(file, means);
    }
}
