using Spectre.Console;

namespace FileTransfer.Cli;

/// <summary>The nodes of the cluster with their roles and queues.</summary>
public sealed class ClusterStatus(ClusterAnswer cluster, LeaderAnswer? leader) : IStatus
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

    public bool IsComplete => Live.Any() && Live.All(node => node is { Pending: 0, Failed: 0, Lag: 0 or null });

    /// <summary>Failed replicas stay so until a new source appears or a person asks.</summary>
    public bool IsHopeless =>
        Live.Any() && Live.All(node => node is { Pending: 0, Lag: 0 or null }) && Live.Any(node => node.Failed > 0);

    public string Lacking =>
        Live.Any()
            ? string.Join(
                "; ",
                Live.Where(node => node is not { Pending: 0, Failed: 0, Lag: 0 or null })
                    .Select(node =>
                        $"{node.Node} has {node.Pending} to do, {node.Failed} failed, and is {node.Lag ?? 0} mutations behind"
                    )
            )
            : "no node is alive";

    private IEnumerable<NodeAnswer> Live => cluster.Nodes.Where(node => node.Alive);

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
            var table = new Table { Title = new TableTitle(Markup.Escape($"cluster {cluster.Cluster}: {leading}")) };
            foreach (var column in _columns)
            {
                table.AddColumn(column);
            }

            foreach (var node in cluster.Nodes)
            {
                table.AddRow([.. Cells(node).Select(Markup.Escape)]);
            }

            console.Show(table);
            return;
        }

        var line = new ClusterStatusLine(IsComplete, cluster.Cluster, leader, cluster.Nodes);
        var rows = cluster.Nodes.Select(node => string.Join('\t', Cells(node)));
        console.Result(
            string.Join(System.Environment.NewLine, [string.Join('\t', _columns), .. rows]),
            line,
            () => CliJson.Default.ClusterStatusLine
        );
    }

    private static string[] Cells(NodeAnswer node) =>
        [
            node.Node,
            node.Role ?? "-",
            node.Alive ? "yes" : "no",
            $"{node.Stored}",
            $"{node.Wanted}",
            $"{node.Downloading}",
            $"{node.Removing}",
            $"{node.Failed}",
            $"{node.Lag ?? 0}",
            node.Url ?? "-",
        ];
}
