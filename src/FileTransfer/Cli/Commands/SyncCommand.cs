using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer sync status</c></summary>
internal static class SyncCommand
{
    public static Command Create() =>
        new CliCommand("sync", "Shows how far a cluster is with the clusters that it pulls from")
        {
            Examples = ["filetransfer sync status"],
        }.Taking(CreateStatus());

    private static CliCommand CreateStatus() =>
        new CliCommand("status", "Shows each upstream: what is applied, what is lacking, what went wrong last")
        {
            Notes =
            [
                "Exits with 3 while an upstream is not in step, or the leader lacks a content of it. In step: all of its feed is applied, and the",
                "digests say that this cluster has of it what it has. Kept files are",
                "those that an upstream does not have any more since it began another history.",
            ],
            Examples = ["filetransfer sync status", "filetransfer sync status --json"],
            Ends = [ExitCode.NotComplete],
        }.AsksNodes(async run =>
        {
            var status = await run.AskAsync(node => node.GetAsync<SyncStatusResource>(Routes.SyncStatus));
            var lines = status.Upstreams.Count == 0 ? ["no upstream is configured"] : status.Upstreams.Select(LineOf);
            run.Show(lines, status);
            return status.Upstreams.All(upstream => upstream is { InStep: true, Lacking: 0 })
                ? ExitCode.Ok
                : ExitCode.NotComplete;
        });

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
}
