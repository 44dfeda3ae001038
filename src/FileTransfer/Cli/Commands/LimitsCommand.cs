using System.CommandLine;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer limits get|set|delete</c></summary>
internal static class LimitsCommand
{
    public static Command Create() =>
        new CliCommand("limits", "Shows and changes how much a node's transfers may use, while it runs")
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
        }.Taking(
            CreateOne("get", "Shows a node's limits in force, where each comes from, and the current rates", HttpMethod.Get),
            CreateSet(),
            CreateOne("delete", "Deletes what was set: the node's configuration applies again", HttpMethod.Delete)
        );

    private static CliCommand CreateOne(string name, string description, HttpMethod method) =>
        new CliCommand(name, description) { Examples = [$"filetransfer limits {name} --url http://node-b:7070"] }.AsksOneNode(
            async run => Show(run, await run.AskAsync(node => node.AskAsync<LimitsResource>(method, Routes.Limits)))
        );

    private static CliCommand CreateSet()
    {
        var options = new LimitValues();
        return new CliCommand("set", "Sets limits of a node; those that are not given stay as they are")
        {
            Notes = ["NAME is a source as the node calls it (node b, share mirror), its name alone, or * for all others."],
            Examples =
            [
                "filetransfer limits set --download unlimited --upload 20MiB/s --url http://node-b:7070",
                "filetransfer limits set --per-source mirror=5MiB/s --per-source '*=50MiB/s'",
            ],
        }
            .Taking(options.All)
            .Refusing(options.Fault)
            .AsksOneNode(async run =>
            {
                var given = options.Read(run.Parse);
                var limits = await run.AskAsync(async node =>
                {
                    var before = await node.GetAsync<LimitsResource>(Routes.Limits);
                    var all = NodeClient.Json(LimitValues.Over(before, given));
                    return await node.AskAsync<LimitsResource>(HttpMethod.Put, Routes.Limits, all);
                });
                return Show(run, limits);
            });
    }

    private static ExitCode Show(Invocation run, LimitsResource limits)
    {
        var (inForce, set, now) = (limits.InForce, limits.Set, limits.Now);
        string[] lines =
        [
            Line("download", inForce.Download, set?.Download is not null, now.Download),
            Line("upload", inForce.Upload, set?.Upload is not null, now.Upload),
            .. (inForce.PerSource ?? new Dictionary<string, string>()).Select(entry =>
                Line(entry.Key, entry.Value, set?.PerSource is not null, now.PerSource[entry.Key])
            ),
            Line("requests", $"{inForce.Requests}", set?.Requests is not null),
            Line("requests per source", $"{inForce.RequestsPerSource}", set?.RequestsPerSource is not null),
            Line("connections", $"{inForce.Connections}", set?.Connections is not null),
        ];
        return run.Show(lines, limits);
    }

    private static string Line(string name, string? value, bool isSet, RateNow? now = null) =>
        $"{name}\t{value}\t{(isSet ? "set" : "configured")}"
        + (now is { Until: { } until } ? $"\tnow {now.Rate} until {until:yyyy-MM-dd HH:mm}, then {now.Then}" : "");
}
