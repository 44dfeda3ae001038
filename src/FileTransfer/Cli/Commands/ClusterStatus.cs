using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;
using Spectre.Console;

namespace FileTransfer.Cli.Commands;

/// <summary>The nodes of the cluster with their roles and queues.</summary>
public sealed class ClusterStatus(ClusterResource cluster, LeaderResource? leader) : IStatus
{
    private static readonly string[] _columns =
    [
        "node",
        "role",
        "alive",
        "stored",
        "wanted",
        "downloading",
        "removing",
        "failed",
        "lag",
        "url",
    ];

    private static readonly string[] _fewColumns = ["node", "role", "alive", "stored", "to do", "failed", "lag"];

    /// <summary>A node that is not heard of may lack anything.</summary>
    public bool IsComplete => Live.Any() && !Dead.Any() && Live.All(IsDone);

    /// <summary>Failed replicas stay so until a new source appears or a person asks.</summary>
    public bool IsHopeless => Live.Any() && Live.All(node => node is { Pending: 0, Lag: 0 }) && Live.Any(node => node.Failed > 0);

    public string Lacking =>
        Live.Any()
            ? string.Join(
                "; ",
                Live.Where(node => !IsDone(node))
                    .Select(node =>
                        $"{node.Node} has {node.Pending} to do, {node.Failed} failed, and is {node.Lag} mutations behind"
                    )
                    .Concat(Dead.Select(node => $"{node.Node} is not heard of since {node.SeenAt:u}"))
            )
            : "no node is alive";

    /// <summary>What to do about nodes that are gone; null where none is.</summary>
    public string? Remark =>
        Dead.Any()
            ? $"not complete: {string.Join(", ", Dead.Select(node => node.Node))} not heard of. "
                + "'filetransfer node remove NAME' takes out one that is gone for good."
            : null;

    private IEnumerable<NodeResource> Live => cluster.Nodes.Where(node => node.Alive);

    private IEnumerable<NodeResource> Dead => cluster.Nodes.Where(node => !node.Alive);

    private static bool IsDone(NodeResource node) => node is { Pending: 0, Failed: 0, Lag: 0 };

    public static async Task<IStatus> AskAsync(NodeSet nodes, CancellationToken cancellationToken) =>
        await nodes.RunAsync(
            async (node, token) => new ClusterStatus(await node.GetNodesAsync(token), await node.FindLeaderAsync(token)),
            cancellationToken
        );

    public void Show(CliConsole console)
    {
        if (console.OutputIsTerminal)
        {
            var leading = leader is null ? "no leader" : $"leader {leader.Node}, epoch {leader.Epoch}, since {leader.Since:u}";
            console.Show(isWide => TableOf(leading, isWide));
            Tell(console);
            return;
        }

        var line = new ClusterStatusLine(IsComplete, cluster.Cluster, leader, cluster.Nodes);
        var rows = cluster.Nodes.Select(node => string.Join('\t', Cells(node)));
        console.Result(
            string.Join(System.Environment.NewLine, [string.Join('\t', _columns), .. rows]),
            line,
            () => CliJson.Default.ClusterStatusLine
        );
        Tell(console);
    }

    private void Tell(CliConsole console)
    {
        if (Remark is { } remark && !console.IsJson)
        {
            console.Notice(remark);
        }
    }

    /// <summary>Every number on a wide terminal; on a narrow one those that are asked for first, on one line a node.</summary>
    private Table TableOf(string leading, bool isWide)
    {
        var table = new Table { Title = new TableTitle(Markup.Escape($"cluster {cluster.Cluster}: {leading}")) };
        foreach (var column in isWide ? _columns : _fewColumns)
        {
            table.AddColumn(new TableColumn(column).NoWrap());
        }

        foreach (var node in cluster.Nodes)
        {
            string[] cells = isWide ? Cells(node) : FewCells(node);
            table.AddRow([.. cells.Select(Markup.Escape)]);
        }

        return table;
    }

    private static string[] FewCells(NodeResource node) =>
        [
            node.Node,
            node.Role ?? "-",
            node.Alive ? "yes" : "no",
            $"{node.Stored}",
            $"{node.Pending}",
            $"{node.Failed}",
            $"{node.Lag}",
        ];

    private static string[] Cells(NodeResource node) =>
        [
            node.Node,
            node.Role ?? "-",
            node.Alive ? "yes" : "no",
            $"{node.Stored}",
            $"{node.Wanted}",
            $"{node.Downloading}",
            $"{node.Removing}",
            $"{node.Failed}",
            $"{node.Lag}",
            node.Url?.OriginalString ?? "-",
        ];
}
