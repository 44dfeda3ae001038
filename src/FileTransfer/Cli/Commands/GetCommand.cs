using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Identity;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer get KEY…</c></summary>
public static class GetCommand
{
    private const string StandardOutput = "-";

    public static Command Create(CliStreams streams)
    {
        var keys = IdentityOptions.Keys();
        var output = new Option<string>("--output", "-o")
        {
            Description =
                "A file, a folder, or - for standard output (default: the last part of each location, in the current folder).",
            HelpName = "PATH",
        };
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("get", "Downloads files and verifies each against its key")
        {
            Notes =
            [
                "A download resumes after a lost connection, at any of the nodes. An existing file at PATH is replaced, once the new one is verified.",
                "An interrupted download stays beside the target as .KEY.partial; the same command resumes it and verifies all of it.",
                "While a node's database is away, the node knows only size and fingerprint: the content is verified against these, but not",
                "that they belong to KEY, and the file is named by its key. get says so; with --json, 'proven' is fingerprint instead of key.",
                "For standard output, the content is collected in the temporary folder first: nothing unverified is written.",
                "Of several files with the same name in one folder, all but the first are named by their keys.",
            ],
            Examples =
            [
                "filetransfer get 0x3f… --output photo.jpg",
                "filetransfer get 0x3f… --output - | tar x",
                "filetransfer get 0x3f… 0x9a… --output photos/",
                "filetransfer get 0x3f… --url http://node-a:7070 --url http://node-b:7070",
            ],
            Ends =
            [
                ExitCode.NotComplete,
                ExitCode.NotFound,
                ExitCode.Refused,
                ExitCode.Unreachable,
                ExitCode.NotProven,
                ExitCode.Interrupted,
            ],
        };
        command.Add(keys);
        command.Add(output);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.Validators.Add(result =>
        {
            if (
                result.GetResult(keys) is { Tokens.Count: > 1 }
                && result.GetResult(output) is { Tokens: [var path] }
                && !IsFolder(path.Value)
            )
            {
                result.AddError($"Several files do not fit into '{path.Value}'. Give --output a folder.");
            }
        });
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                return await console.WithProgressAsync(progress =>
                    GetAllAsync(
                        nodes,
                        parse.GetRequiredValue(keys),
                        parse.GetValue(output),
                        streams,
                        console,
                        progress,
                        cancellationToken
                    )
                );
            }
        );
        return command;
    }

    private static async Task<ExitCode> GetAllAsync(
        NodeSet nodes,
        FileKey[] keys,
        string? output,
        CliStreams streams,
        CliConsole console,
        TransferProgress progress,
        CancellationToken cancellationToken
    )
    {
        var end = ExitCode.Ok;
        var taken = new HashSet<string>();
        foreach (var key in keys)
        {
            try
            {
                await GetAsync(nodes, key, output, taken, streams, console, progress, cancellationToken);
            }
            catch (Exception fault) when (keys.Length > 1 && fault is CliException or NodeException)
            {
                var code = console.Failure(fault, fault is CliException ? null : key.ToString());
                end = end.And(code);

                // The other files would meet the same end, each after its own patience.
                if (code is ExitCode.Unreachable or ExitCode.Unavailable or ExitCode.Refused)
                {
                    console.Notice("the other files are not brought");
                    break;
                }
            }
        }

        return end;
    }

    private static async Task GetAsync(
        NodeSet nodes,
        FileKey key,
        string? output,
        HashSet<string> taken,
        CliStreams streams,
        CliConsole console,
        TransferProgress progress,
        CancellationToken cancellationToken
    )
    {
        var started = streams.Time.GetTimestamp();
        var file = new FileGet(nodes, key);
        var (metadata, namedBy) = await file.FindOrBelieveAsync(cancellationToken);
        var path = output == StandardOutput ? null : PathFor(output, key, metadata, taken);
        using var bar = progress.Start(path is null ? key.ToString() : Path.GetFileName(path), (long)metadata.Size);
        using var target = new DownloadTarget(path, key, metadata, goesOn: path is not null);
        await FetchAsync(file, target, path, bar, console, cancellationToken);
        if (namedBy is not null)
        {
            console.Notice(
                $"{key}: the database of {namedBy.Display()} is away. The content is the one with the fingerprint {metadata.Fingerprint}, "
                    + "as that node names it; that this is the key's could not be proven"
            );
        }

        if (path is null)
        {
            await using var stream = streams.OpenOutput();
            await target.CopyToAsync(stream, cancellationToken);
            return;
        }

        Publish(target, path);
        var seconds = Math.Round(streams.Time.GetElapsedTime(started).TotalSeconds, 3);
        console.Result(
            $"{key} {path}",
            new GetLine(
                key.ToString(),
                path,
                metadata.Size,
                metadata.Fingerprint.ToString(),
                seconds,
                namedBy is null ? "key" : "fingerprint"
            ),
            () => CliJson.Default.GetLine
        );
    }

    /// <summary>Goes on with what an earlier run has left, and leaves what has come for a later one.</summary>
    private static async Task FetchAsync(
        FileGet file,
        DownloadTarget target,
        string? path,
        TransferBar bar,
        CliConsole console,
        CancellationToken cancellationToken
    )
    {
        if (path is not null)
        {
            await target.ResumeAsync(cancellationToken);
            if (target.IsResumed)
            {
                console.Notice($"{path}: {Came(target)} are here already; going on");
            }
        }

        try
        {
            await file.FetchAsync(target, bar, cancellationToken);
        }
        catch (Exception fault)
            when (path is not null && target.NextChunk > 0 && fault is OperationCanceledException or NodeException or CliException
            )
        {
            console.Notice($"{path}: {Came(target)} are kept in {target.Temporary}; the same command goes on there");
            throw;
        }
    }

    private static string Came(DownloadTarget target) => $"{SizeText.Of(target.BytesWritten)} of {SizeText.Of(target.Size)}";

    private static void Publish(DownloadTarget target, string path)
    {
        try
        {
            target.Publish();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw LocalContent.Failure(path, fault);
        }
    }

    private static string PathFor(string? output, FileKey key, FileMetadata metadata, HashSet<string> taken)
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
        return Path.Combine(output ?? "", name is not null && taken.Add(name) ? name : key.ToString());
    }

    private static bool IsFolder(string path) => path.EndsWith('/') || Directory.Exists(path);

    /// <summary>The last part of a location as a file name; null where it makes none. A location is anyone's text: it leads nowhere else.</summary>
    private static string? NameOf(ByteString location)
    {
        var name = location.AsUtf8()?.Split('/')[^1];
        return name is null or "" or "." or ".." || name.Any(char.IsControl) ? null : name;
    }
}
