using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer list</c></summary>
public static class ListCommand
{
    private static readonly string[] _states = ["wanted", "downloading", "stored", "removing", "failed", "paused"];

    public static Command Create(CliStreams streams)
    {
        var bucket = IdentityOptions.HexOption("--bucket", "Only files of this bucket.");
        var owner = IdentityOptions.HexOption("--owner", "Only files of this owner.");
        var prefix = new Option<string>("--prefix")
        {
            Description = "Only files whose location begins with this text.",
            HelpName = "TEXT",
        };
        var state = new Option<string>("--state")
        {
            Description = $"Only files that are in this state at the node: {string.Join(", ", _states)}.",
            HelpName = "STATE",
        };
        state.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !_states.Contains(token.Value, StringComparer.Ordinal))
            {
                result.AddError($"--state is '{token.Value}'. Write one of {string.Join(", ", _states)}.");
            }
        });
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("list", "Lists the files of the cluster, with their state at the node that answers")
        {
            Notes =
            [
                "Prints a line 'KEY SIZE STATE LOCATION' for each file, separated by tabs, in the order of keys; the size is in bytes.",
                "The state is 'absent' where that node neither has the file nor wants it.",
                "With --json each line has all of the metadata. Pages are fetched as they are read: '| head' fetches few.",
            ],
            Examples =
            [
                "filetransfer list --bucket 0x22… --prefix photos/",
                "filetransfer list --state failed --url http://node-b:7070",
                "filetransfer list --json | jq -r 'select(.size > 1000000000) | .key'",
            ],
            Ends = [ExitCode.Refused, ExitCode.Unreachable],
        };
        foreach (Option option in (Option[])[bucket, owner, prefix, state])
        {
            command.Add(option);
        }

        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                var filter = new ListFilter(
                    parse.GetResult(bucket) is null ? null : parse.GetValue(bucket),
                    parse.GetResult(owner) is null ? null : parse.GetValue(owner),
                    parse.GetValue(prefix),
                    parse.GetValue(state)
                );
                string? after = null;
                do
                {
                    var page = await nodes.RunAsync((node, token) => node.ListAsync(filter, after, token), cancellationToken);
                    foreach (var file in page.Files)
                    {
                        console.Result(LineOf(file), file, () => SparseJson.Default.FileResource);
                    }

                    after = page.Next;
                } while (after is not null);
                return ExitCode.Ok;
            }
        );
        return command;
    }

    // A location is anyone's text: it must neither part the columns nor steer the terminal.
    private static string LineOf(FileResource file)
    {
        var state = file.IsRemoved ? "removed" : file.State;
        var location = string.Concat((file.Location ?? file.LocationHex ?? "").Select(c => char.IsControl(c) ? '?' : c));
        return $"{file.Key}\t{file.Size}\t{state}\t{location}";
    }
}
