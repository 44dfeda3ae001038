using FileTransfer.Chunks;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>One run of <c>get</c>: file after file.</summary>
internal sealed class GetRun(Invocation run, string? output, TransferProgress progress)
{
    private const string StandardOutput = "-";

    private readonly HashSet<string> _taken = [];

    public async Task<ExitCode> GetAllAsync(FileKey[] keys)
    {
        var end = ExitCode.Ok;
        foreach (var key in keys)
        {
            try
            {
                await GetAsync(key);
            }
            catch (Exception fault) when (keys.Length > 1 && fault is CliException or NodeException)
            {
                var code = run.Console.Failure(fault, fault is CliException ? null : key.ToString());
                end = end.And(code);

                // The other files would meet the same end, each after its own patience.
                if (code is ExitCode.Unreachable or ExitCode.Unavailable or ExitCode.Refused)
                {
                    run.Console.Notice("the other files were not downloaded");
                    break;
                }
            }
        }

        return end;
    }

    public static bool IsFolder(string path) => path.EndsWith('/') || Directory.Exists(path);

    private async Task GetAsync(FileKey key)
    {
        var started = run.Time.GetTimestamp();
        var file = new FileGet(run.Nodes, key);
        var (metadata, namedBy) = await file.FindOrBelieveAsync();
        var path = output == StandardOutput ? null : PathFor(key, metadata);
        using var bar = progress.Start(path is null ? key.ToString() : Path.GetFileName(path), (long)metadata.Size);
        using var target = LocalContent.Try(
            path is null ? Path.GetTempPath() : Path.GetDirectoryName(Path.GetFullPath(path))!,
            () => new DownloadTarget(path, key, metadata, goesOn: path is not null)
        );
        await FetchAsync(file, target, path, bar);
        if (namedBy is not null)
        {
            run.Console.Notice(
                $"{key}: the database of {namedBy.Display()} is away. The content is the one with the fingerprint {metadata.Fingerprint}, "
                    + "as that node names it; that it belongs to the key could not be verified"
            );
        }

        if (path is null)
        {
            await using var stream = run.Streams.OpenOutput();
            await target.CopyToAsync(stream, run.CancellationToken);
            return;
        }

        LocalContent.Try(path, target.Publish);
        var line = new GetLine(
            key.ToString(),
            path,
            metadata.Size,
            metadata.Fingerprint.ToString(),
            Math.Round(run.Time.GetElapsedTime(started).TotalSeconds, 3),
            namedBy is null ? "key" : "fingerprint"
        );
        run.Console.Result($"{key} {path}", line);
    }

    /// <summary>Goes on with what an earlier run has left, and leaves what has come for a later one.</summary>
    private async Task FetchAsync(FileGet file, DownloadTarget target, string? path, TransferBar bar)
    {
        if (path is not null)
        {
            await target.ResumeAsync(run.CancellationToken);
            if (target.IsResumed)
            {
                run.Console.Notice($"{path}: {Came(target)} are here already; resuming");
            }
        }

        try
        {
            await file.FetchAsync(target, bar, run.CancellationToken);
        }
        catch (Exception fault)
            when (path is not null && target.NextChunk > 0 && fault is OperationCanceledException or NodeException or CliException
            )
        {
            run.Console.Notice($"{path}: {Came(target)} are kept in {target.Temporary}; the same command resumes there");
            throw;
        }
    }

    private static string Came(DownloadTarget target) => $"{SizeText.Of(target.BytesWritten)} of {SizeText.Of(target.Size)}";

    private string PathFor(FileKey key, FileMetadata metadata)
    {
        if (output is not null && !IsFolder(output))
        {
            return output;
        }

        if (output is not null && !Directory.Exists(output))
        {
            throw new CliException(ExitCode.Failed, $"The folder {output} does not exist. Create it first.");
        }

        var name = NameOf(metadata.Location);
        return Path.Combine(output ?? "", name is not null && _taken.Add(name) ? name : key.ToString());
    }

    /// <summary>The last part of a location as a file name; null where it makes none. A location is anyone's text: it leads nowhere else.</summary>
    private static string? NameOf(ByteString location)
    {
        var name = location.AsUtf8()?.Split('/')[^1];
        return name is null or "" or "." or ".." || name.Any(PrintedText.IsObeyed) ? null : name;
    }
}
