using System.CommandLine;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer node handover|drain|evacuate NAME</c></summary>
internal static class NodeSteering
{
    public static CliCommand CreateHandover() =>
        new CliCommand("handover", "Makes the leader leave office to whichever other node takes it first")
        {
            Notes = ["For a second or so no file can be uploaded or removed; 'put' and 'remove' wait for the new leader."],
            Examples = ["filetransfer node handover --url http://node-a:7070"],
        }.AsksNodes(async run =>
        {
            var leader = await run.AskAsync(node => node.AskAsync<LeaderResource>(HttpMethod.Post, Routes.Handover));
            return run.Show($"{leader.Node} leads in epoch {leader.Epoch}, at {leader.Url}", leader);
        });

    public static CliCommand CreateDrain()
    {
        var yes = CliOption.Flag("--yes", "Do it; without this, the command only says which node would stop.", "-y");
        return new CliCommand("drain", "Stops a node as SIGTERM does: running requests end, then it exits")
        {
            Notes = ["What supervises its process may start it again."],
            Examples =
            [
                "filetransfer node drain --url http://node-b:7070",
                "filetransfer node drain --yes --url http://node-b:7070",
            ],
        }
            .Taking(yes)
            .AsksOneNode(async run =>
            {
                if (!run.Get(yes))
                {
                    var node = (await run.AskAsync(one => one.GetAsync<QueueResource>(Routes.Queue))).Node;
                    throw new CliException(ExitCode.Usage, $"Node '{node}' would stop. Nothing was done; add --yes to stop it.");
                }

                var drained = await run.AskAsync(node => node.AskAsync<DrainResource>(HttpMethod.Post, Routes.Drain));
                return run.Show(
                    $"{drained.Node} stops within {drained.WithinSeconds} s; {drained.Running} requests run",
                    drained
                );
            });
    }

    public static CliCommand CreateEvacuate()
    {
        var name = new Argument<string>("NAME") { Description = "The node, as 'filetransfer status' names it." };
        var dryRun = CliOption.Flag("--dry-run", "Change nothing; say how many files others would get.");
        var cancel = CliOption.Flag("--cancel", "Keep the node after all.");
        var show = CliOption.Flag("--show", "Show how many files it is still needed for; change nothing.");
        return new CliCommand("evacuate", "Empties a node that is to go: others get copies of what only it has, and spare it")
        {
            Notes =
            [
                "Exits with 3 while the node is still needed. With 0, stop it and take it out with 'filetransfer node remove'.",
                "Its contents stay on its disk. Other nodes keep as many copies as 'filetransfer copies' says, one in any case.",
            ],
            Examples =
            [
                "filetransfer node evacuate node-c --dry-run",
                "filetransfer node evacuate node-c",
                "filetransfer node evacuate node-c --cancel",
            ],
            Ends = [ExitCode.NotFound, ExitCode.NotComplete],
        }
            .Taking(name, dryRun, show, cancel)
            .Refusing(result =>
                new[] { dryRun, show, cancel }.Count(result.GetValue) > 1
                    ? "Give --dry-run, --show or --cancel, not two of them."
                    : null
            )
            .AsksNodes(async run =>
            {
                var method =
                    run.Get(show) ? HttpMethod.Get
                    : run.Get(cancel) ? HttpMethod.Delete
                    : HttpMethod.Post;
                var path = Routes.Of(Routes.Evacuation, run.Get(name)) + (run.Get(dryRun) ? "?dryRun=true" : "");
                var answer = await run.AskAsync(node =>
                    node.AskAsync<EvacuationResource>(method, path, within: NodeClient.LongWithin)
                );
                run.Show(
                    $"{answer.Node} {(answer.Since is { } since ? $"is being emptied since {since:u}" : "is not being emptied")}; "
                        + $"it is needed for {answer.Files} files; others {(answer.DryRun ? "would want" : "want")} {answer.Wanted} more",
                    answer
                );
                return answer.Files == 0 || run.Get(cancel) ? ExitCode.Ok : ExitCode.NotComplete;
            });
    }
}
