using System.CommandLine;
using FileTransfer.Bandwidth;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer limits get|set|delete</c></summary>
public static class LimitsCommand
{
    private static readonly ExitCode[] _ends = [ExitCode.Refused, ExitCode.Unreachable];

    public static Command Create(CliStreams streams)
    {
        var command = new CliCommand("limits", "Shows and changes how much a node's transfers may use, while it runs")
        {
            Notes =
            [
                "Limits belong to one node. What is set overrides its configuration, immediately and after restarts, until it is deleted.",
                "RATE is 10MiB/s, 500kB/s, 100Mbit/s or unlimited, or a timetable: '50MiB/s; 08:00-18:00 10MiB/s'.",
            ],
            Examples =
            [
                "filetransfer limits get",
                "filetransfer limits set --upload '50MiB/s; mon-fri 08:00-18:00 10MiB/s'",
                "filetransfer limits delete",
            ],
            Ends = _ends,
        };
        command.Add(
            CreateOne(
                streams,
                "get",
                "Shows a node's limits in force, where each comes from, and the current rates",
                (client, token) => client.GetLimitsAsync(token)
            )
        );
        command.Add(CreateSet(streams));
        command.Add(
            CreateOne(
                streams,
                "delete",
                "Deletes what was set: the node's configuration applies again",
                (client, token) => client.DeleteLimitsAsync(token)
            )
        );
        return command;
    }

    private static CliCommand CreateOne(
        CliStreams streams,
        string name,
        string description,
        Func<NodeClient, CancellationToken, Task<LimitsResource>> ask
    )
    {
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand(name, description)
        {
            Examples = [$"filetransfer limits {name} --url http://node-b:7070"],
            Ends = _ends,
        };
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var node = connection.ConnectToOne(parse, console);
                Show(console, await node.RunAsync(ask, cancellationToken));
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static CliCommand CreateSet(CliStreams streams)
    {
        var options = new LimitValues();
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("set", "Sets limits of a node; those that are not given stay as they are")
        {
            Notes = ["NAME is a source as the node calls it (node b, share mirror), its name alone, or * for all others."],
            Examples =
            [
                "filetransfer limits set --download unlimited --upload 20MiB/s --url http://node-b:7070",
                "filetransfer limits set --per-source mirror=5MiB/s --per-source '*=50MiB/s'",
            ],
            Ends = _ends,
        };
        options.AddTo(command);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                var given = options.Read(parse);
                using var node = connection.ConnectToOne(parse, console);
                Show(
                    console,
                    await node.RunAsync(
                        async (client, token) =>
                        {
                            var before = await client.GetLimitsAsync(token);
                            return await client.SetLimitsAsync(LimitValues.Over(before, given), token);
                        },
                        cancellationToken
                    )
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static void Show(CliConsole console, LimitsResource limits)
    {
        var (inForce, set, now) = (limits.InForce, limits.Set, limits.Now);
        var lines = new List<string>
        {
            Line("download", inForce.Download, set?.Download is not null, now.Download),
            Line("upload", inForce.Upload, set?.Upload is not null, now.Upload),
        };
        lines.AddRange(
            (inForce.PerSource ?? new Dictionary<string, string>()).Select(entry =>
                Line(entry.Key, entry.Value, set?.PerSource is not null, now.PerSource[entry.Key])
            )
        );
        lines.Add(Line("requests", $"{inForce.Requests}", set?.Requests is not null, null));
        lines.Add(Line("requests per source", $"{inForce.RequestsPerSource}", set?.RequestsPerSource is not null, null));
        lines.Add(Line("connections", $"{inForce.Connections}", set?.Connections is not null, null));
        console.Result(string.Join(Environment.NewLine, lines), limits, () => LimitJson.Default.LimitsResource);
    }

    private static string Line(string name, string? value, bool isSet, RateNow? now) =>
        string.Join(
            '\t',
            [
                name,
                value,
                isSet ? "set" : "configured",
                .. now is { Until: { } until }
                    ? [$"now {now.Rate} until {until:yyyy-MM-dd HH:mm}, then {now.Then}"]
                    : (string[])[],
            ]
        );
}
