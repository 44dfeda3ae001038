using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer trust list|add|remove</c></summary>
internal static class TrustCommand
{
    public static Command Create() =>
        new CliCommand("trust", "Says which nodes of other clusters are believed, by their public keys")
        {
            Notes = ["Beside these, each node trusts those of its own FileTransfer:Trust, and the nodes of its cluster."],
            Examples =
            [
                "filetransfer trust add node-1 MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE… --cluster berlin",
                "filetransfer trust list",
                "filetransfer trust remove node-1",
            ],
        }.Taking(CreateList(), CreateAdd(), CreateRemove());

    private static CliCommand CreateList() =>
        new CliCommand("list", "Lists them: node, cluster, state, who lists it, public keys")
        {
            Examples = ["filetransfer trust list"],
        }.AsksNodes(async run =>
        {
            var all = await run.AskAsync(node => node.GetAsync<TrustListResource>(Routes.Trust));
            return run.Show(all.Trust.Select(LineOf), all);
        });

    private static CliCommand CreateAdd()
    {
        var (node, cluster) = (NodeArgument(), ClusterOption());
        var key = new Argument<string>("PUBLICKEY") { Description = "As filetransfer identity show prints it at the node." };
        return new CliCommand("add", "Trusts a node by this key, in place of any other; at all nodes of the cluster, at once")
        {
            Examples = ["filetransfer trust add node-1 MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE… --cluster berlin"],
        }
            .Taking(node, key, cluster)
            .AsksNodes(async run =>
            {
                var request = new TrustRequest(run.Get(key), run.Get(cluster));
                var path = Routes.Of(Routes.TrustOfNode, run.Get(node));
                var listed = await run.AskAsync(client =>
                    client.AskAsync<TrustListResource>(HttpMethod.Put, path, NodeClient.Json(request))
                );
                return run.Show(listed.Trust.Select(LineOf), listed);
            });
    }

    private static CliCommand CreateRemove()
    {
        var (node, cluster) = (NodeArgument(), ClusterOption());
        return new CliCommand("remove", "Ends the trust in a node; its requests under way are cut off at once")
        {
            Notes = ["What settings or the database list, too, is kept as revoked until it is added again."],
            Examples = ["filetransfer trust remove node-1", "filetransfer trust remove node-1 --cluster berlin"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(node, cluster)
            .AsksNodes(async run =>
            {
                var query = run.Get(cluster) is { } one ? $"?cluster={Uri.EscapeDataString(one)}" : "";
                var path = Routes.Of(Routes.TrustOfNode, run.Get(node)) + query;
                await run.AskAsync(client => client.FindAsync<TrustResource>(HttpMethod.Delete, path));
                return run.Show($"{run.Get(node)} is not trusted", new KeyStateLine(run.Get(node), "revoked"));
            });
    }

    private static Argument<string> NodeArgument() => new("NODE") { Description = "The node's id." };

    private static Option<string> ClusterOption() =>
        CliOption.Text("--cluster", "ID", "Its cluster's id (default: the node of this id in any cluster).");

    private static string LineOf(TrustResource one) =>
        $"{one.Node}\t{one.Cluster ?? "any cluster"}\t{one.State}\t"
        + (one.ChangedAt is { } at ? $"by {one.ChangedBy}, {at:u}" : one.Origin)
        + $"\t{string.Join(' ', one.PublicKeys)}";
}
