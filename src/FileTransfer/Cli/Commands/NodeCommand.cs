using System.CommandLine;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer node handover|drain|evacuate NAME|remove NAME</c></summary>
internal static class NodeCommand
{
    public static Command Create() =>
        new CliCommand("node", "Stops a node, moves the leadership, takes a node that is gone for good out of the cluster")
        {
            Examples =
            [
                "filetransfer node handover",
                "filetransfer node drain --yes --url http://node-b:7070",
                "filetransfer node evacuate node-c",
                "filetransfer node remove node-c --yes",
            ],
        }.Taking(NodeSteering.CreateHandover(), NodeSteering.CreateDrain(), NodeSteering.CreateEvacuate(), CreateRemove());

    private static CliCommand CreateRemove()
    {
        var name = new Argument<string>("NAME") { Description = "The node, as 'filetransfer status' names it." };
        var yes = CliOption.Flag("--yes", "Do it; without this, the command only says what would go.", "-y");
        return new CliCommand("remove", "Forgets a dead node: its replicas, its place in the feed, its policies and its intents")
        {
            Notes =
            [
                "The node must not be running; the cluster refuses to remove one that is. Its data folder is not touched.",
                "A file that only this node had is lost to the cluster: it stays registered, and nobody has it. The output counts them.",
                "A removed node may come back under its name, but as a new node: start it with an empty data folder.",
            ],
            Examples = ["filetransfer node remove node-c", "filetransfer node remove node-c --yes --url http://node-a:7070"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(name, yes)
            .AsksNodes(async run =>
            {
                if (!run.Get(yes))
                {
                    throw Preview(run.Get(name), await run.AskAsync(node => node.GetAsync<ClusterResource>(Routes.Nodes)));
                }

                var path = Routes.Of(Routes.Node, run.Get(name));
                var removed = await run.AskAsync(node =>
                    node.AskAsync<NodeRemovalResource>(HttpMethod.Delete, path, within: NodeClient.LongWithin)
                );
                var lost =
                    removed.OnlyCopies > 0 ? $"; {removed.OnlyCopies} files were nowhere else, and nobody has them now" : "";
                return run.Show($"{removed.Node} removed, with {removed.Replicas} replicas{lost}", removed);
            });
    }

    private static CliException Preview(string name, ClusterResource cluster) =>
        cluster.Nodes.FirstOrDefault(node => node.Node == name) switch
        {
            null => new CliException(
                ExitCode.NotFound,
                $"No node is called '{name}'; there are {string.Join(", ", cluster.Nodes.Select(node => node.Node))}."
            ),
            { Alive: true } => new CliException(ExitCode.Failed, $"Node '{name}' is alive. Stop it first."),
            var node => new CliException(
                ExitCode.Usage,
                $"Node '{name}' was last heard from at {node.SeenAt:u} and has {node.Stored} files stored. "
                    + "Nothing was removed; add --yes to take it out of the cluster."
            ),
        };
}
