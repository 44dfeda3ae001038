using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer peers</c></summary>
internal static class PeersCommand
{
    public static Command Create() =>
        new CliCommand(
            "peers",
            "Shows the nodes of other clusters that a node knows: who is alive, why the others are not, who is trusted"
        )
        {
            Notes =
            [
                "A node asks for files only those that are trusted and alive. Whom it trusts is set by FileTransfer:Trust, or at run time by",
                "'filetransfer trust add'.",
            ],
            Examples = ["filetransfer peers", "filetransfer peers --json --url http://node-b:7070"],
        }.AsksNodes(async run =>
        {
            var known = await run.AskAsync(node => node.GetAsync<PeersResource>(Routes.Peers));
            return run.Show(known.Peers.Count == 0 ? ["this node knows no others"] : known.Peers.Select(LineOf), known);
        });

    private static string LineOf(PeerResource peer) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{peer.Cluster}/{peer.Node}\t{peer.Status}\t{(peer.Trusted ? "trusted" : "not trusted")}\t{peer.Url.OriginalString}\tsince {peer.Since:u}\t{peer.Reason}"
        );
}
