using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>One run of <c>put</c>: several files at once, until all are stored or none can be.</summary>
internal sealed class PutRun(Invocation run, FilePut put, TransferProgress progress)
{
    private readonly Lock _lock = new();
    private ExitCode _end;
    private int _stored;
    private int _empty;

    /// <param name="items">What is put; asked twice where a bar shows how much there is of it.</param>
    /// <param name="parallel">How many at once.</param>
    /// <param name="skipsEmpty">Whether files that are left out because they are empty are as they should be.</param>
    public async Task<ExitCode> PutAllAsync(Func<IEnumerable<PutItem>> items, int parallel, bool skipsEmpty)
    {
        using var whole =
            progress.IsShown && items().Skip(1).Any()
                ? progress.Start("all", items().Sum(item => LocalContent.LengthOf(item.Path)))
                : null;
        using var abandon = CancellationTokenSource.CreateLinkedTokenSource(run.CancellationToken);
        try
        {
            await Parallel.ForEachAsync(
                items(),
                new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = abandon.Token },
                async (item, token) =>
                {
                    // The other files would meet the same end, each after its own patience.
                    if (await PutAsync(item, whole, token) is ExitCode.Unreachable or ExitCode.Unavailable or ExitCode.Refused)
                    {
                        await abandon.CancelAsync();
                    }
                }
            );
        }
        catch (OperationCanceledException) when (!run.CancellationToken.IsCancellationRequested)
        {
            run.Console.Notice("the other files were not put");
        }
        catch (OperationCanceledException)
        {
            run.Console.Notice(
                $"interrupted: {_stored} files were put. The leader keeps what it has of the others; the same command resumes them"
            );
            throw;
        }

        if (_empty > 0)
        {
            run.Console.Notice(
                $"{_stored} files were put, {_empty} are empty and were left out: a content has at least one byte"
                    + (skipsEmpty ? "" : " (with --skip-empty, put exits with 0 all the same)")
            );
        }

        return _end == ExitCode.Ok && _empty > 0 && !skipsEmpty ? ExitCode.LeftOut : _end;
    }

    private async Task<ExitCode> PutAsync(PutItem item, TransferBar? whole, CancellationToken cancellationToken)
    {
        try
        {
            if (!item.IsNamed && LocalContent.LengthOf(item.Path) == 0)
            {
                run.Console.Notice($"{item.Path} is empty and is left out");
                Interlocked.Increment(ref _empty);
                return ExitCode.Ok;
            }

            var line = await put.PutAsync(item, progress, whole, cancellationToken);
            run.Console.Result($"{line.Key} {line.Path}", line, () => CliJson.Default.PutLine);
            Interlocked.Increment(ref _stored);
            return ExitCode.Ok;
        }
        catch (Exception fault) when (fault is CliException or NodeException or IOException or UnauthorizedAccessException)
        {
            var code = run.Console.Failure(fault, fault is CliException ? null : item.Path);
            lock (_lock)
            {
                _end = _end.And(code);
            }

            return code;
        }
    }
}
