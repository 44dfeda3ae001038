using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using Spectre.Console;

namespace FileTransfer.Cli.Commands;

/// <summary>The nodes of the cluster with their roles and queues.</summary>
internal sealed class ClusterStatus(ClusterResource cluster, LeaderResource? leader) : IStatus
{
    /// <summary>Every number for a wide terminal and for pipes; for a narrow one what is asked for first, on one line a node.</summary>
    private static readonly (string Name, bool IsWide, bool IsNarrow, Func<NodeResource, string> Of)[] _columns =
    [
        ("node", true, true, node => node.Node),
        ("role", true, true, node => node.Role ?? "-"),
        ("alive", true, true, node => node.Alive ? "yes" : "no"),
        ("stored", true, true, node => node.Estimated ? $"~{node.Stored}" : $"{node.Stored}"),
        ("wanted", true, false, node => $"{node.Wanted}"),
        ("downloading", true, false, node => $"{node.Downloading}"),
        ("removing", true, false, node => $"{node.Removing}"),
        ("to do", false, true, node => $"{node.Pending}"),
        ("failed", true, true, node => $"{node.Failed}"),
        ("lag", true, true, node => $"{node.Lag}"),
        ("url", true, false, node => node.Fault ?? node.Url?.OriginalString ?? "-"),
    ];

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
                    .Concat(Dead.Select(node => $"{node.Node} has not been heard from since {node.SeenAt:u}"))
            )
            : "no node is alive";

    /// <summary>What to do about nodes that are gone; null where none is.</summary>
    public string? Remark =>
        Dead.Any()
            ? $"not complete: {string.Join(", ", Dead.Select(node => node.Node))} not heard from. "
                + "'filetransfer node remove NAME' takes out one that is gone for good."
            : null;

    private IEnumerable<NodeResource> Live => cluster.Nodes.Where(node => node.Alive);

    private IEnumerable<NodeResource> Dead => cluster.Nodes.Where(node => !node.Alive);

    private static bool IsDone(NodeResource node) => node is { Pending: 0, Failed: 0, Lag: 0 };

    public static async Task<IStatus> AskAsync(NodeSet nodes) =>
        await nodes.RunAsync(async node => new ClusterStatus(
            await node.GetAsync<ClusterResource>(Routes.Nodes),
            await node.FindLeaderAsync()
        ));

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
        var wide = _columns.Where(column => column.IsWide).ToList();
        var head = string.Join('\t', wide.Select(column => column.Name));
        var rows = cluster.Nodes.Select(node => string.Join('\t', wide.Select(column => column.Of(node))));
        console.Result(string.Join(Environment.NewLine, [head, .. rows]), line);
        Tell(console);
    }

    private void Tell(CliConsole console)
    {
        if (Remark is { } remark && !console.IsJson)
        {
            console.Notice(remark);
        }
    }

    private Table TableOf(string leading, bool isWide)
    {
        var table = new Table
        {
            Title = new TableTitle(Markup.Escape(PrintedText.Line($"cluster {cluster.Cluster}: {leading}"))),
        };
        var columns = _columns.Where(column => isWide ? column.IsWide : column.IsNarrow).ToList();
        columns.ForEach(column => table.AddColumn(new TableColumn(column.Name).NoWrap()));
        foreach (var node in cluster.Nodes)
        {
            table.AddRow([.. columns.Select(column => Markup.Escape(PrintedText.Lines(column.Of(node))))]);
        }

        return table;
    }
}
