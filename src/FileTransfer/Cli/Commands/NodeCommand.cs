using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer node remove NAME</c></summary>
public static class NodeCommand
{
    public static Command Create(CliStreams streams)
    {
        var command = new CliCommand("node", "Takes a node that is gone for good out of the cluster")
        {
            Examples = ["filetransfer node remove node-c", "filetransfer node remove node-c --yes"],
            Ends = [ExitCode.NotFound, ExitCode.Refused, ExitCode.Unreachable],
        };
        command.Add(Remove(streams));
        return command;
    }

    private static CliCommand Remove(CliStreams streams)
    {
        var name = new Argument<string>("NAME") { Description = "The node, as 'filetransfer status' names it." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do it; without this, the command only says what would go." };
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand(
            "remove",
            "Forgets a dead node: its replicas, its place in the feed, its policies and its intents"
        )
        {
            Notes =
            [
                "The node must not be running; the cluster refuses to remove one that is. Its data folder is not touched.",
                "A file that only this node had is lost to the cluster: it stays registered, and nobody has it. The output counts them.",
                "A removed node may come back under its name, but as a new node: start it with an empty data folder.",
            ],
            Examples = ["filetransfer node remove node-c", "filetransfer node remove node-c --yes --url http://node-a:7070"],
            Ends = [ExitCode.NotFound, ExitCode.Refused, ExitCode.Unreachable],
        };
        command.Add(name);
        command.Add(yes);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                var node = parse.GetRequiredValue(name);
                if (!parse.GetValue(yes))
                {
                    return await PreviewAsync(nodes, node, cancellationToken);
                }

                var removed = await nodes.RunAsync((client, token) => client.RemoveNodeAsync(node, token), cancellationToken);
                var lost =
                    removed.OnlyCopies > 0 ? $"; {removed.OnlyCopies} files were nowhere else, and nobody has them now" : "";
                console.Result(
                    $"{removed.Node} removed, with {removed.Replicas} replicas{lost}",
                    removed,
                    () => SparseJson.Default.NodeRemovalResource
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static async Task<ExitCode> PreviewAsync(NodeSet nodes, string name, CancellationToken cancellationToken)
    {
        var cluster = await nodes.RunAsync((client, token) => client.GetNodesAsync(token), cancellationToken);
        var node =
            cluster.Nodes.FirstOrDefault(one => one.Node == name)
            ?? throw new CliException(
                ExitCode.NotFound,
                $"No node is called '{name}'; there are {string.Join(", ", cluster.Nodes.Select(one => one.Node))}."
            );
        throw node.Alive
            ? new CliException(ExitCode.Failed, $"Node '{name}' is alive. Stop it first.")
            : new CliException(
                ExitCode.Usage,
                $"Node '{name}' was last heard of at {node.SeenAt:u} and has {node.Stored} files stored. "
                    + $"Nothing was removed; add --yes to take it out of the cluster."
            );
    }
}
