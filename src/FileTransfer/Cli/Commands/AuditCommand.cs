using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer audit [TEXT]</c></summary>
internal static class AuditCommand
{
    private const int DefaultEntries = 100;
    private const int MostEntries = 1000;

    public static Command Create()
    {
        var about = new Argument<string?>("TEXT")
        {
            Description = "Only requests for a path that has this in it: a key, a bucket, a node's name.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var limit = CliOption.Number("--limit", MostEntries, $"Show so many, up to {MostEntries}; {DefaultEntries} by default.");
        var before = CliOption.Number("--before", int.MaxValue, "Show those before this entry, by its number.");
        return new CliCommand("audit", "Shows who changed something in the cluster, or was refused, the newest first")
        {
            Notes =
            [
                "Each line: number, time, token, address, node, status, problem, method and path, and how often within a minute; separated by tabs, - where there is none.",
                "The cluster keeps the newest 10000 entries of each route.",
            ],
            Examples = ["filetransfer audit", "filetransfer audit 0x3f… --json", "filetransfer audit /v1/nodes/ --limit 10"],
        }
            .Taking(about, limit, before)
            .AsksNodes(async run =>
            {
                string?[] query =
                [
                    $"limit={run.Given(limit) ?? DefaultEntries}",
                    run.Given(before) is { } number ? $"before={number}" : null,
                    run.Get(about) is { } text ? $"about={Uri.EscapeDataString(text)}" : null,
                ];
                var path = $"{Routes.Audit}?{string.Join('&', query.OfType<string>())}";
                var found = await run.AskAsync(node => node.GetAsync<AuditResource>(path));
                foreach (var entry in found.Entries)
                {
                    run.Console.Result(LineOf(entry), entry);
                }

                return ExitCode.Ok;
            });
    }

    private static string LineOf(AuditEntryResource entry) =>
        string.Join(
            '\t',
            entry.Id,
            entry.At.ToString("u", CultureInfo.InvariantCulture),
            entry.Who ?? "-",
            entry.Address ?? "-",
            entry.Node,
            entry.Status,
            entry.Problem ?? "-",
            $"{entry.Action.Split(' ')[0]} {entry.Target}",
            entry.Times
        );
}
