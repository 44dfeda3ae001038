using System.Runtime.CompilerServices;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Cli.Client;
using FileTransfer.Contracts;
using FileTransfer.Feed.Reconciliation;

namespace FileTransfer.Cli.Reconcile;

/// <summary>The folder of a node that runs, as it tells it.</summary>
public sealed class RunningFolder : KnownFolder
{
    private readonly NdjsonAnswer<FolderLine> _lines;
    private readonly FolderResource _about;

    private RunningFolder(NodeSet node, Uri url, NdjsonAnswer<FolderLine> lines, FolderResource about)
    {
        Client = node;
        Url = url;
        _lines = lines;
        _about = about;
    }

    /// <summary>The node, to be told more.</summary>
    public NodeSet Client { get; }

    public Uri Url { get; }

    public override string Node => _about.Node;

    public override string Place => Url.Display();

    public override string Cluster => _about.Cluster;

    public override IReadOnlyList<string> Members => _about.Members;

    public override IReadOnlyList<LedgerEpoch> Epochs => [.. _about.Epochs.Select(epoch => epoch.ToEpoch())];

    public override IReadOnlyList<FolderPolicyResource> Policies => _about.Policies;

    public static Task<RunningFolder> OpenAsync(NodeSet node, bool proves, CancellationToken cancellationToken) =>
        node.RunAsync(
            async (client, token) =>
            {
                var lines = await client.OpenFolderAsync(proves, token);
                if (await lines.ReadAsync() is { Folder: { } about })
                {
                    return new RunningFolder(node, client.Node, lines, about);
                }

                lines.Dispose();
                throw new CliException(
                    ExitCode.Failed,
                    $"{client.Node.Display()} does not say whose folder it has. Is it a newer or older program?"
                );
            },
            cancellationToken
        );

    public override async IAsyncEnumerable<FolderEvidence> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await _lines.ReadAsync() is { File: { } file })
        {
            yield return file.ToEvidence(Node);
        }
    }

    protected override void Dispose(bool disposing) => _lines.Dispose();
}
