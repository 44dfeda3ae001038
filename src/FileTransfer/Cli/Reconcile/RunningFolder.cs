using FileTransfer.Chunks.Ledger;
using FileTransfer.Cli.Client;
using FileTransfer.Feed.Reconciliation;

namespace FileTransfer.Cli.Reconcile;

/// <summary>The folder of a node that runs, as it tells it.</summary>
internal sealed class RunningFolder(NodeSet node, Uri url, NdjsonAnswer<FolderLine> lines, FolderResource about) : KnownFolder
{
    /// <summary>The node, to be told more.</summary>
    public NodeSet Client => node;

    public override string Node => about.Node;

    public override string Place => url.Display();

    public override string Cluster => about.Cluster;

    public override IReadOnlyList<string> Members => about.Members;

    public override IReadOnlyList<LedgerEpoch> Epochs => [.. about.Epochs.Select(epoch => epoch.ToEpoch())];

    public override IReadOnlyList<FolderPolicyResource> Policies => about.Policies;

    public static Task<RunningFolder> OpenAsync(NodeSet at, bool proves) =>
        at.RunAsync(async client =>
        {
            var prove = proves ? "true" : "false";
            var opened = await client.OpenLinesAsync<FolderLine>($"{Routes.Reconcile}/folder?prove={prove}");
            if (await opened.ReadAsync() is { Folder: { } found })
            {
                return new RunningFolder(at, client.Node, opened, found);
            }

            opened.Dispose();
            throw new CliException(
                ExitCode.Failed,
                $"{client.Node.Display()} does not say whose folder it has. Is it a newer or older program?"
            );
        });

    public override async IAsyncEnumerable<FolderEvidence> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await lines.ReadAsync() is { File: { } file })
        {
            yield return file.ToEvidence(Node);
        }
    }

    public override void Dispose() => lines.Dispose();
}
