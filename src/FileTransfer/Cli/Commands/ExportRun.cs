using FileTransfer.Cli.Client;
using FileTransfer.Cli.Export;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>One run of <c>export</c>: file after file from an origin into a share.</summary>
internal sealed class ExportRun(
    IExportOrigin origin,
    ExportFolder share,
    CliConsole console,
    TransferProgress progress,
    bool verifies,
    PruneOrder? prune,
    TimeProvider time
)
{
    /// <summary>Enough to hide round trips and the disk's confirmations from each other.</summary>
    private const int AtOnce = 4;

    private readonly Lock _lock = new();
    private readonly HashSet<FileKey> _known = [];
    private ExitCode _end;
    private int _exported;
    private int _kept;
    private int _gone;

    /// <summary>All that the filter lets through.</summary>
    public Task<ExitCode> RunAsync(ExportFilter filter, CancellationToken cancellationToken) =>
        RunAsync(origin.FilesAsync(filter, cancellationToken).Select(file => (file.Key, (ExportFile?)file)), cancellationToken);

    /// <summary>These files.</summary>
    public Task<ExitCode> RunAsync(IReadOnlyList<FileKey> keys, CancellationToken cancellationToken) =>
        RunAsync(keys.ToAsyncEnumerable().Select(key => (key, (ExportFile?)null)), cancellationToken);

    private async Task<ExitCode> RunAsync(
        IAsyncEnumerable<(FileKey Key, ExportFile? Listed)> files,
        CancellationToken cancellationToken
    )
    {
        await Parallel.ForEachAsync(
            files,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (file, token) =>
            {
                try
                {
                    await OneAsync(file.Listed ?? await origin.FindAsync(file.Key, token), token);
                }
                catch (Exception fault) when (file.Listed is not null && IsGone(fault))
                {
                    // It was stored when the listing was made; a removal is no fault of the export.
                    Interlocked.Increment(ref _gone);
                }
                catch (Exception fault) when (IsGone(fault) || CliConsole.CodeOf(fault) == ExitCode.NotProven)
                {
                    // Only this file suffers from it; the others would meet everything else too.
                    End(file.Key, fault);
                }
            }
        );
        var (pruned, held) = prune is null
            ? (0, 0)
            : await share.PruneAsync(_known, key => origin.HasRemovedAsync(key, cancellationToken), prune.Hold, time.GetUtcNow());
        await share.WriteIndexAsync(cancellationToken);
        if (!console.IsJson)
        {
            var gone = _gone > 0 ? $", {_gone} removed meanwhile" : "";
            var pruning = prune is null ? "" : $", {pruned} pruned, {held} held";
            console.Notice($"{_exported} exported, {_kept} there already{gone}{pruning}");
        }

        return _end;
    }

    private async Task OneAsync(ExportFile file, CancellationToken cancellationToken)
    {
        var (key, metadata) = file;
        lock (_lock)
        {
            _known.Add(key);
        }

        using var bar = progress.Start(metadata.Location.AsUtf8() ?? key.ToString(), (long)metadata.Size);
        var isThere = verifies ? await share.ProvesAsync(key, metadata, bar, cancellationToken) : share.Has(key, metadata);
        if (isThere)
        {
            Interlocked.Increment(ref _kept);
            Tell(file, "kept");
            return;
        }

        try
        {
            using var target = await share.BeginAsync(key, metadata, cancellationToken);
            bar.Report(target.BytesWritten);
            await origin.FetchAsync(file, target, bar, cancellationToken);
            await share.PublishAsync(key, metadata, target, cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw LocalContent.Failure(key.ToString(), fault);
        }

        Interlocked.Increment(ref _exported);
        Tell(file, "exported");
    }

    private void Tell(ExportFile file, string outcome) =>
        console.Result(
            $"{outcome} {file.Key} {file.Metadata.Location.AsUtf8() ?? file.Metadata.Location.ToString()}",
            new ExportLine(file.Key.ToString(), file.Metadata.Location.AsUtf8(), file.Metadata.Size, outcome)
        );

    private static bool IsGone(Exception fault) => CliConsole.CodeOf(fault) is ExitCode.NotFound or ExitCode.NotComplete;

    private void End(FileKey key, Exception fault)
    {
        var code = console.Failure(fault, key.ToString());
        lock (_lock)
        {
            _end = _end.And(code);
        }
    }
}

/// <summary>Files that the cluster has removed are taken out of the share.</summary>
/// <param name="Hold">How long they stay after an export has found that.</param>
internal sealed record PruneOrder(TimeSpan Hold);
