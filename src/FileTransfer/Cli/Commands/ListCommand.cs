using System.CommandLine;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer list</c></summary>
internal static class ListCommand
{
    private static readonly string _states = string.Join(", ", Enum.GetValues<ReplicaState>().Select(ReplicaTransitions.NameOf));

    public static Command Create()
    {
        var bucket = IdentityOptions.HexOption("--bucket", "Only files of this bucket.");
        var owner = IdentityOptions.HexOption("--owner", "Only files of this owner.");
        var prefix = CliOption.Text("--prefix", "TEXT", "Only files whose location begins with this text.");
        var state = CliOption.Text("--state", "STATE", $"Only files that are in this state at the node: {_states}.");
        return new CliCommand("list", "Lists the files of the cluster, with their state at the node that answers")
        {
            Notes =
            [
                "Prints a line 'KEY SIZE STATE LOCATION' for each file, separated by tabs, in the order of keys, or of locations",
                "with --prefix; the size is in bytes.",
                "The state is 'absent' where that node neither has the file nor wants it.",
                "With --json each line has all of the metadata. Pages are fetched as they are read: '| head' fetches few.",
            ],
            Examples =
            [
                "filetransfer list --bucket 0x22… --prefix photos/",
                "filetransfer list --state failed --url http://node-b:7070",
                "filetransfer list --json | jq -r 'select(.size > 1000000000) | .key'",
            ],
        }
            .Taking(bucket, owner, prefix, state)
            .Refusing(result =>
                result.GetValue(state) is not { } given || _states.Split(", ").Contains(given, StringComparer.Ordinal)
                    ? null
                    : $"--state is '{given}'. Write one of {_states}."
            )
            .AsksNodes(async run =>
            {
                var filter = new ListFilter(run.Given(bucket), run.Given(owner), run.Get(prefix), run.Get(state));
                await foreach (var file in run.Nodes.ListAsync(filter))
                {
                    run.Console.Result(LineOf(file), file);
                }

                return ExitCode.Ok;
            });
    }

    // A location is anyone's text: it must neither part the columns nor steer the terminal.
    private static string LineOf(FileResource file)
    {
        return $"{file.Key}\t{file.Size}\t{(file.IsRemoved ? "removed" : file.State)}\t{PrintedText.Line(file.Location ?? file.LocationHex)}";
    }
}
