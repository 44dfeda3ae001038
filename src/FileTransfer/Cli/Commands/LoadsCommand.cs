using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer loads list|show|delete</c></summary>
internal static class LoadsCommand
{
    public static Command Create() =>
        new CliCommand("loads", "Shows and ends the loads of a node")
        {
            Examples = ["filetransfer loads list", "filetransfer loads show state-17", "filetransfer loads delete state-17"],
        }.Taking(CreateList(), CreateShow(), CreateDelete());

    private static CliCommand CreateList() =>
        new CliCommand("list", "Shows the loads that run, and those that have ended in the last day")
        {
            Examples = ["filetransfer loads list", "filetransfer loads list --json"],
        }.AsksOneNode(async run =>
        {
            var all = await run.AskAsync(node => node.GetAsync<LoadsResource>(Routes.Loads));
            while (all.Next is { } next)
            {
                var page = await run.AskAsync(node => node.GetAsync<LoadsResource>($"{Routes.Loads}?after={next}"));
                all = page with { Loads = [.. all.Loads, .. page.Loads] };
            }

            return run.Show(all.Loads.Count == 0 ? ["there are no loads"] : all.Loads.Select(LoadLines.LineOf), all);
        });

    private static CliCommand CreateShow()
    {
        var name = NameArgument();
        var labels = CliOption.Flag("--labels", "All labels with their keys, too (with --json).");
        return new CliCommand("show", "Shows how far a load is, what is missing and why, and what went wrong with sources")
        {
            Notes = ["Exits with 3 when it has failed or was ended."],
            Examples = ["filetransfer loads show state-17"],
            Ends = [ExitCode.NotComplete, ExitCode.NotFound],
        }
            .Taking(name, labels)
            .AsksOneNode(async run =>
            {
                var path = Routes.Of(Routes.Load, run.Get(name)) + (run.Get(labels) ? "?labels=true" : "");
                return LoadLines.Show(run, await run.AskAsync(node => node.GetAsync<LoadResource>(path)));
            });
    }

    private static CliCommand CreateDelete()
    {
        var name = NameArgument();
        return new CliCommand("delete", "Ends a load: what is stored stays, what nobody else wants is given up")
        {
            Examples = ["filetransfer loads delete state-17"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(name)
            .AsksOneNode(async run =>
            {
                var path = Routes.Of(Routes.Load, run.Get(name));
                var ended = await run.AskAsync(node => node.AskAsync<LoadResource>(HttpMethod.Delete, path));
                return run.Show(LoadLines.LineOf(ended), ended);
            });
    }

    private static Argument<string> NameArgument() => new("NAME") { Description = "What the load is called." };
}
