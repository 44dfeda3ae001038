using System.CommandLine;
using FileTransfer.Identity;

namespace FileTransfer.Cli;

/// <summary><c>filetransfer get KEY</c></summary>
public static class GetCommand
{
    private const string StandardOutput = "-";

    public static Command Create(CliStreams streams)
    {
        var key = IdentityOptions.Key();
        var output = new Option<string>("--output", "-o")
        {
            Description = "A file, a folder, or - for standard output; without it, the last part of the location, here.",
            HelpName = "PATH",
        };
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("get", "Brings a file and proves it against its key before it gets its name")
        {
            Notes =
            [
                "A lost connection goes on where it stopped, at any of the nodes. An existing file at PATH is replaced.",
                "For standard output the content gathers in the temporary folder first: nothing unproven is written.",
            ],
            Examples =
            [
                "filetransfer get 0x3f… --output photo.jpg",
                "filetransfer get 0x3f… --output - | tar x",
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
        command.Add(key);
        command.Add(output);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                return await console.WithProgressAsync(progress =>
                    GetAsync(
                        nodes,
                        parse.GetRequiredValue(key),
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

    private static async Task<ExitCode> GetAsync(
        NodeSet nodes,
        FileKey key,
        string? output,
        CliStreams streams,
        CliConsole console,
        TransferProgress progress,
        CancellationToken cancellationToken
    )
    {
        var started = streams.Time.GetTimestamp();
        var file = new FileGet(nodes, key);
        var metadata = await file.FindAsync(cancellationToken);
        var path = output == StandardOutput ? null : PathFor(output, key, metadata);
        using var bar = progress.Start(path is null ? key.ToString() : Path.GetFileName(path), (long)metadata.Size);
        using var target = new DownloadTarget(path, key, metadata);
        await file.FetchAsync(target, bar, cancellationToken);
        if (path is null)
        {
            await using var stream = streams.OpenOutput();
            await target.CopyToAsync(stream, cancellationToken);
            return ExitCode.Ok;
        }

        Publish(target, path);
        var seconds = Math.Round(streams.Time.GetElapsedTime(started).TotalSeconds, 3);
        console.Result(
            $"{key} {path}",
            new GetLine(key.ToString(), path, metadata.Size, metadata.Fingerprint.ToString(), seconds),
            CliJson.Default.GetLine
        );
        return ExitCode.Ok;
    }

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

    private static string PathFor(string? output, FileKey key, FileMetadata metadata)
    {
        if (output is not null && !output.EndsWith('/') && !Directory.Exists(output))
        {
            return output;
        }

        if (output is not null && !Directory.Exists(output))
        {
            throw new CliException(ExitCode.Failed, $"The folder {output} does not exist. Create it first.");
        }

        return Path.Combine(output ?? "", NameOf(metadata.Location) ?? key.ToString());
    }

    /// <summary>The last part of a location as a file name; null where it makes none. A location is anyone's text: it leads nowhere else.</summary>
    private static string? NameOf(Octets location)
    {
        var name = location.AsUtf8()?.Split('/')[^1];
        return name is null or "" or "." or ".." || name.Any(char.IsControl) ? null : name;
    }
}
