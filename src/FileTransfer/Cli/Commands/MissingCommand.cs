using System.CommandLine;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer missing BUCKET</c></summary>
public static class MissingCommand
{
    public static Command Create(CliStreams streams)
    {
        var bucket = IdentityOptions.BucketArgument();
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("missing", "Lists the files of a bucket that a node wants but lacks, or has only in part")
        {
            Notes =
            [
                "A line each: key, state, bytes proven, size, nodes that have it, location, reason; in the order of keys.",
                "Exits with 0 when nothing is missing, with 3 when something is.",
            ],
            Examples =
            [
                "filetransfer missing 0x22… --url http://node-b:7070",
                "filetransfer missing 0x22… --json | jq -r 'select(.sources == 0) | .key'   (what nobody has)",
            ],
            Ends = [ExitCode.NotComplete, ExitCode.Refused, ExitCode.Unreachable],
        };
        command.Add(bucket);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var node = connection.ConnectToOne(parse, console);
                var last = "";
                await node.RunAsync(
                    async (client, token) =>
                    {
                        await foreach (var file in client.GetMissingAsync(parse.GetRequiredValue(bucket), token))
                        {
                            // After a lost connection the list comes again from its beginning.
                            if (string.CompareOrdinal(file.Key, last) > 0)
                            {
                                last = file.Key;
                                console.Result(TextOf(file), file, () => SparseJson.Default.MissingFile);
                            }
                        }

                        return true;
                    },
                    cancellationToken
                );
                return last.Length == 0 ? ExitCode.Ok : ExitCode.NotComplete;
            }
        );
        return command;
    }

    private static string TextOf(MissingFile file) =>
        string.Join(
            '\t',
            file.Key,
            file.State,
            file.BytesProven,
            file.Size,
            file.Sources,
            file.Location ?? file.LocationHex,
            file.Reason ?? "-"
        );
}
