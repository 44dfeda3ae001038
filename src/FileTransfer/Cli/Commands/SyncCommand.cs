using System.CommandLine;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer sync status|compare|resync|kept|accept|keep</c></summary>
internal static class SyncCommand
{
    public static Command Create() =>
        new CliCommand("sync", "Shows how far a cluster is with the clusters that it pulls from, and proves it")
        {
            Examples = ["filetransfer sync status", "filetransfer sync compare north", "filetransfer sync kept north"],
        }.Taking(CreateStatus(), CreateCompare(), CreateResync(), CreateKept(), CreateAccept(), CreateKeep());

    private static CliCommand CreateStatus() =>
        new CliCommand(
            "status",
            "Shows each upstream, and who ships here: what is applied, what is lacking, what went wrong last"
        )
        {
            Notes =
            [
                "Exits with 3 while an upstream is not in step, or the leader lacks a content of it. In step: all of its feed is applied, and the",
                "digests say that this cluster has of it what it has. Kept files are",
                "those that an upstream does not have any more, though it never removed them: see 'sync kept'.",
            ],
            Examples = ["filetransfer sync status", "filetransfer sync status --json"],
            Ends = [ExitCode.NotComplete],
        }.AsksNodes(async run =>
        {
            var status = await run.AskAsync(node => node.GetAsync<SyncStatusResource>(Routes.SyncStatus));
            List<string> lines = [.. status.Upstreams.Select(LineOf), .. status.Shippers.Select(LineOf)];
            run.Show(lines.Count == 0 ? ["no upstream is configured"] : lines, status);
            return
                status.Upstreams.All(upstream => upstream is { InStep: true, Lacking: 0 })
                && status.Shippers.All(shipper => shipper.Lacking == 0 && !shipper.Bins.Any(bin => bin.Comparing))
                ? ExitCode.Ok
                : ExitCode.NotComplete;
        });

    private static CliCommand CreateCompare() =>
        CreateComparison(
            "compare",
            Routes.UpstreamCompare,
            "Compares the files that a cluster has of an upstream with what the upstream has",
            "Digests of ranges of keys lead to what differs, so that little is asked for where little does."
        );

    private static CliCommand CreateResync() =>
        CreateComparison(
            "resync",
            Routes.UpstreamResync,
            "Takes every file of an upstream anew",
            "It asks for every file and believes no digest. Contents that are held are not fetched again."
        );

    private static CliCommand CreateComparison(string name, string route, string summary, string note)
    {
        var upstream = UpstreamArgument();
        return new CliCommand(name, summary)
        {
            Notes =
            [
                note,
                "Files that are missing here are wanted from now on; those that the upstream does not have any more are kept, see 'sync kept'.",
            ],
            Examples = [$"filetransfer sync {name} north"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(upstream)
            .AsksNodes(async run =>
            {
                var path = Routes.Of(route, run.Get(upstream));
                var found = await run.AskAsync(node =>
                    node.AskAsync<SyncFindingResource>(HttpMethod.Post, path, within: NodeClient.LongWithin)
                );
                IEnumerable<string> lines =
                [
                    $"{found.Missing} files were missing and are wanted now, {found.Extra} are kept that it does not have any more",
                    .. found.Keys,
                ];
                return run.Show(lines, found);
            });
    }

    private static CliCommand CreateKept()
    {
        var upstream = UpstreamArgument();
        return new CliCommand("kept", "Lists the files that an upstream does not have any more and that stay here")
        {
            Notes =
            [
                "A line each: key, size, since when, whether it stays also after 'sync accept', location; in the order of keys.",
                "An upstream that began another history, went back, or differs without a Remove in its feed, removes nothing here by that.",
            ],
            Examples = ["filetransfer sync kept north", "filetransfer sync kept north --json"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(upstream)
            .AsksNodes(async run =>
            {
                var last = "";
                await run.Nodes.RunAsync(async node =>
                {
                    using var files = await node.OpenLinesAsync<UpstreamKeptFile>(
                        Routes.Of(Routes.UpstreamKept, run.Get(upstream))
                    );
                    while (await files.ReadAsync() is { } file)
                    {
                        // After a lost connection the list comes again from its beginning.
                        if (string.CompareOrdinal(file.Key, last) > 0)
                        {
                            last = file.Key;
                            run.Console.Result(
                                $"{file.Key}\t{file.Size}\t{file.Since:u}\t{(file.Claimed ? "stays" : "goes")}\t{PrintedText.Line(file.Location ?? file.LocationHex)}",
                                file
                            );
                        }
                    }
                });
                return ExitCode.Ok;
            });
    }

    private static CliCommand CreateAccept() =>
        CreateDecision(
            "accept",
            Routes.UpstreamAccept,
            "Accepts that an upstream does not have its kept files any more",
            "Those that neither this cluster nor another upstream claims are removed, as by 'filetransfer remove'. 'sync kept' lists them."
        );

    private static CliCommand CreateKeep() =>
        CreateDecision(
            "keep",
            Routes.UpstreamKeep,
            "Makes the kept files of an upstream this cluster's own",
            "They stay until they are removed here."
        );

    private static CliCommand CreateDecision(string name, string route, string summary, string note)
    {
        var upstream = UpstreamArgument();
        return new CliCommand(name, summary)
        {
            Notes = [note],
            Examples = [$"filetransfer sync {name} north"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(upstream)
            .AsksNodes(async run =>
            {
                var path = Routes.Of(route, run.Get(upstream));
                var done = await run.AskAsync(node =>
                    node.AskAsync<UpstreamDecisionResource>(HttpMethod.Post, path, within: NodeClient.LongWithin)
                );
                return run.Show($"{done.Files} files of {done.Upstream} decided, {done.Removed} of them removed", done);
            });
    }

    private static Argument<string> UpstreamArgument() =>
        new("UPSTREAM") { Description = "The upstream, as 'filetransfer sync status' names it." };

    private static string LineOf(UpstreamResource upstream)
    {
        var behind = upstream.Bins.Sum(bin => bin.Behind ?? 0);
        var position =
            upstream.InStep ? "in step"
            : upstream.Bins.Any(bin => bin.Differs) ? "differs"
            : upstream.Bins.Any(bin => bin.Comparing) ? "comparing"
            : upstream.Bins.Any(bin => bin.Behind is null) || upstream.Bins.Count == 0 ? "not reached yet"
            : $"{behind} mutations behind";
        return $"{upstream.Name}\t{upstream.Url}\t{position}\t{upstream.Files} files\t{upstream.Lacking} lacking"
            + (upstream.Kept > 0 ? $"\t{upstream.Kept} kept" : "")
            + (upstream.LastError is { } fault ? $"\t{fault}" : "");
    }

    private static string LineOf(ShipperResource shipper)
    {
        var position =
            shipper.Epoch is null ? "has shipped nothing yet"
            : shipper.Bins.Any(bin => bin.Comparing) ? "is to tell all files"
            : $"{shipper.Bins.Sum(bin => bin.Applied)} mutations applied";
        return $"{shipper.Cluster}\t{string.Join(' ', shipper.Urls)}\tships here: {position}\t{shipper.Files} files\t{shipper.Lacking} lacking"
            + (shipper.Kept > 0 ? $"\t{shipper.Kept} kept" : "");
    }
}
