using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>One run of <c>put</c>: several files at once, until all are stored or none can be.</summary>
internal sealed class PutRun(Invocation run, FilePut put, BatchPut batches, TransferProgress progress)
{
    private readonly Lock _lock = new();
    private ExitCode _end;
    private int _stored;
    private int _empty;
    private bool _isAbandoned;

    /// <param name="items">What is put; asked twice where a bar shows how much there is of it.</param>
    /// <param name="parallel">How many requests at once.</param>
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
                BatchPut.Together(items()),
                new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = abandon.Token },
                async (together, token) =>
                {
                    if (EndsAll(await PutAsync(together, whole, token)))
                    {
                        await abandon.CancelAsync();
                    }
                }
            );
        }
        catch (OperationCanceledException) when (!run.CancellationToken.IsCancellationRequested)
        {
            _isAbandoned = true;
        }
        catch (OperationCanceledException)
        {
            run.Console.Notice(
                $"interrupted: {_stored} files were put. The leader keeps what it has of the others; the same command resumes them"
            );
            throw;
        }

        if (_isAbandoned)
        {
            run.Console.Notice("the other files were not put");
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

    /// <summary>Puts files together where that can be, else one by one.</summary>
    /// <returns>How it ended, where the others would end so, too.</returns>
    private async Task<ExitCode> PutAsync(IReadOnlyList<PutItem> items, TransferBar? whole, CancellationToken cancellationToken)
    {
        IReadOnlyList<PutItem> rest = [.. items.Where(item => !IsLeftOut(item))];
        if (rest is [var first, _, ..])
        {
            using var bar = progress.Start($"{rest.Count} files", rest.Sum(item => LocalContent.LengthOf(item.Path)), whole);
            var sent = 0L;
            try
            {
                rest = await batches.PutAsync(
                    rest,
                    line =>
                    {
                        bar.Report(sent += (long)line.Size);
                        Report(line);
                    },
                    (item, fault) => Fail(item, fault),
                    cancellationToken
                );
            }
            catch (NodeException fault)
            {
                _isAbandoned = true;
                return Fail(first, fault);
            }
        }

        var end = ExitCode.Ok;
        foreach (var item in rest)
        {
            end = await PutAsync(item, whole, cancellationToken);
            if (EndsAll(end))
            {
                break;
            }
        }

        return end;
    }

    private async Task<ExitCode> PutAsync(PutItem item, TransferBar? whole, CancellationToken cancellationToken)
    {
        try
        {
            Report(await put.PutAsync(item, progress, whole, cancellationToken));
            return ExitCode.Ok;
        }
        catch (Exception fault) when (fault is CliException or NodeException or IOException or UnauthorizedAccessException)
        {
            return Fail(item, fault);
        }
    }

    /// <summary>The other files would meet the same end, each after its own patience.</summary>
    private static bool EndsAll(ExitCode end) => end is ExitCode.Unreachable or ExitCode.Unavailable or ExitCode.Refused;

    private bool IsLeftOut(PutItem item)
    {
        if (item.IsNamed || LocalContent.LengthOf(item.Path) > 0)
        {
            return false;
        }

        run.Console.Notice($"{item.Path} is empty and is left out");
        Interlocked.Increment(ref _empty);
        return true;
    }

    private void Report(PutLine line)
    {
        run.Console.Result($"{line.Key} {line.Path}", line);
        Interlocked.Increment(ref _stored);
    }

    private ExitCode Fail(PutItem item, Exception fault)
    {
        var code = run.Console.Failure(fault, fault is CliException ? null : item.Path);
        lock (_lock)
        {
            _end = _end.And(code);
        }

        return code;
    }
}
