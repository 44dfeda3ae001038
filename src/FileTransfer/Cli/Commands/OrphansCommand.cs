using System.CommandLine;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer orphans list|discard</c></summary>
public static class OrphansCommand
{
    private static readonly ExitCode[] _ends = [ExitCode.Refused, ExitCode.Unreachable];

    public static Command Create(CliStreams streams)
    {
        var command = new CliCommand("orphans", "Shows and deletes contents of a node that no file refers to")
        {
            Notes =
            [
                "A node deletes a few of them by itself after a grace period. Many at once, or contents of files that its catalog has never",
                "heard of, are the sign of a wrong or an older catalog: it keeps them until a person decides.",
            ],
            Examples = ["filetransfer orphans list", "filetransfer orphans discard --yes --url http://node-b:7070"],
            Ends = _ends,
        };
        command.Add(CreateList(streams));
        command.Add(CreateDiscard(streams));
        return command;
    }

    private static CliCommand CreateList(CliStreams streams)
    {
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand(
            "list",
            "Lists them: since when, and to which files they belong as far as the node's folder remembers"
        )
        {
            Examples = ["filetransfer orphans list --url http://node-b:7070"],
            Ends = _ends,
        };
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var node = connection.ConnectToOne(parse, console);
                var orphans = await node.RunAsync((client, token) => client.GetOrphansAsync(token), cancellationToken);
                console.Result(TextOf(orphans), orphans, () => WireJson.Default.OrphansResource);
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static CliCommand CreateDiscard(CliStreams streams)
    {
        var connection = new ConnectionOptions(streams);
        var yes = new Option<bool>("--yes") { Description = "Do it; without this, the command only says what would go." };
        var command = new CliCommand("discard", "Deletes them, and lets the node collect orphans by itself again")
        {
            Notes = ["What is deleted cannot be recovered. 'filetransfer reconcile' brings the files back instead."],
            Examples = ["filetransfer orphans discard", "filetransfer orphans discard --yes"],
            Ends = _ends,
        };
        command.Add(yes);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var node = connection.ConnectToOne(parse, console);
                if (!parse.GetValue(yes))
                {
                    var orphans = await node.RunAsync((client, token) => client.GetOrphansAsync(token), cancellationToken);
                    console.Result(TextOf(orphans), orphans, () => WireJson.Default.OrphansResource);
                    console.Notice("Nothing was deleted. To delete them: filetransfer orphans discard --yes");
                    return ExitCode.Ok;
                }

                var discarded = await node.RunAsync((client, token) => client.DiscardOrphansAsync(token), cancellationToken);
                console.Result(
                    $"{discarded.Count} contents deleted, {discarded.Bytes} bytes; collection goes on",
                    discarded,
                    () => WireJson.Default.OrphansDiscarded
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static string TextOf(OrphansResource orphans)
    {
        var lines = new List<string> { $"{orphans.Count} contents that no file refers to, {orphans.Bytes} bytes" };
        if (orphans.HeldBecause is { } held)
        {
            lines.Add($"nothing is collected since {orphans.HeldSince:u}: {held}");
        }

        if (orphans.WaitsBecause is { } waits)
        {
            lines.Add(waits);
        }

        foreach (var orphan in orphans.Orphans)
        {
            var files = orphan.Files.Select(file => $"{file.Location ?? file.Key}");
            var of = orphan.Files.Count == 0 ? "of no file that the folder remembers" : $"of {string.Join(", ", files)}";
            var unknown = orphan.Unexplained ? ", which the catalog has never heard of" : "";
            lines.Add($"{orphan.Fingerprint} {orphan.Size} bytes, since {orphan.FirstSeen:u}, {of}{unknown}");
        }

        return string.Join(Environment.NewLine, lines);
    }
}
