using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Exports;

namespace FileTransfer.Cli.Export;

/// <summary>Tells a person or a script how an export goes.</summary>
internal sealed class ToldExport(CliConsole console, TransferProgress progress) : IExportWatcher
{
    private readonly Lock _lock = new();
    private ExitCode _end;

    public async Task<ExitCode> RunAsync(
        IExportOrigin origin,
        ExportFolder share,
        ExportOrder order,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var run = new ExportRun(origin, share, order, this, time);
        try
        {
            await run.RunAsync(cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw LocalContent.Failure(share.Root, fault);
        }

        if (!console.IsJson)
        {
            console.Notice(WordsOf(run.Counts, order.Hold is not null));
        }

        return _end;
    }

    public IExportProgress Begin(ExportFile file) => progress.Start(NameOf(file), (long)file.Metadata.Size);

    public void Tell(ExportFile file, ExportMeans? means)
    {
        var outcome = means is null ? "kept" : "exported";
        console.Result(
            $"{outcome} {file.Key} {NameOf(file)}",
            new ExportLine(
                file.Key.ToString(),
                file.Metadata.Location.AsUtf8(),
                file.Metadata.Size,
                outcome,
                means?.ToString().ToLowerInvariant()
            )
        );
    }

    public void Fail(FileKey key, Exception fault)
    {
        var code = console.Failure(fault, key.ToString());
        lock (_lock)
        {
            _end = _end.And(code);
        }
    }

    private static string NameOf(ExportFile file) =>
        PrintedText.Line(file.Metadata.Location.AsUtf8() ?? file.Metadata.Location.ToString());

    private static string WordsOf(ExportCounts counts, bool prunes)
    {
        var means = counts.Exported.Where(one => one.Key != ExportMeans.Download).ToList();
        var by =
            means.Count > 0
                ? $" ({string.Join(", ", means.Select(one => $"{one.Value} by {one.Key.ToString().ToLowerInvariant()}"))})"
                : "";
        var gone = counts.Gone > 0 ? $", {counts.Gone} removed meanwhile" : "";
        var pruning = prunes ? $", {counts.Pruned} pruned, {counts.Held} held" : "";
        return $"{counts.Exported.Values.Sum()} exported{by}, {counts.Kept} there already{gone}{pruning}";
    }
}
