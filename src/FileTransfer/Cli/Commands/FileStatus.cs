using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using Spectre.Console;

namespace FileTransfer.Cli.Commands;

/// <summary>One file and its replicas.</summary>
internal sealed class FileStatus : IStatus
{
    private const string Stored = "stored";
    private const string Failed = "failed";

    private readonly FileResource _file;
    private readonly IReadOnlyList<ReplicaResource> _replicas;
    private readonly string[] _notStoredOn;
    private readonly bool _failedOnLive;

    private FileStatus(FileResource file, ClusterResource cluster)
    {
        _file = file;
        _replicas = file.Replicas ?? [];
        var stored = _replicas
            .Where(replica => replica.State == Stored)
            .Select(replica => replica.Node)
            .ToHashSet(StringComparer.Ordinal);
        var live = cluster.Nodes.Where(node => node.Alive).Select(node => node.Node).ToHashSet(StringComparer.Ordinal);
        var notWanted = file.NotWantedAt ?? [];
        _notStoredOn =
        [
            .. cluster
                .Nodes.Select(node => node.Node)
                .Where(node => !stored.Contains(node) && !notWanted.Contains(node, StringComparer.Ordinal))
                .Order(StringComparer.Ordinal),
        ];
        _failedOnLive = _replicas.Any(replica => replica.State == Failed && live.Contains(replica.Node));
        IsComplete = live.Count > 0 && _notStoredOn.Length == 0;
    }

    public bool IsComplete { get; }

    /// <summary>A failed replica stays so until a new source appears or a person asks.</summary>
    public bool IsHopeless => _failedOnLive;

    public string Lacking => $"{_file.Key} is not stored on {string.Join(", ", _notStoredOn)}";

    public static async Task<IStatus> AskAsync(NodeSet nodes, FileKey key) =>
        await nodes.RunAsync(async node => new FileStatus(
            await node.GetFileAsync(key),
            await node.GetAsync<ClusterResource>(Routes.Nodes)
        ));

    public void Show(CliConsole console)
    {
        if (console.OutputIsTerminal)
        {
            var table = new Table
            {
                Title = new TableTitle(
                    Markup.Escape(PrintedText.Line($"{_file.Location ?? _file.LocationHex}, {_file.Size} bytes"))
                ),
            };
            table.AddColumns("node", "state", "proven", "reason");
            foreach (var replica in _replicas)
            {
                table.AddRow([.. Cells(replica).Select(cell => Markup.Escape(PrintedText.Lines(cell)))]);
            }

            console.Show(_ => table);
            return;
        }

        var head = $"{_file.Key}\t{_file.FileState}\t{_file.Size}\t{PrintedText.Line(_file.Location ?? _file.LocationHex)}";
        var rows = _replicas.Select(replica => string.Join('\t', Cells(replica)));
        console.Result(string.Join(Environment.NewLine, [head, .. rows]), new FileStatusLine(IsComplete, _notStoredOn, _file));
    }

    private static string[] Cells(ReplicaResource replica) =>
        [
            replica.Node,
            replica.State,
            $"{Math.Floor(replica.Progress * 100)}%",
            replica.NextAttemptAt is { } next ? $"{replica.Reason ?? "-"} (next attempt {next:u})" : replica.Reason ?? "-",
        ];
}
