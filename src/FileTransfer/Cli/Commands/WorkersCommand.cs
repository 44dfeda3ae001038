using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer workers list|pause|resume|set</c></summary>
internal static class WorkersCommand
{
    public static Command Create() =>
        new CliCommand("workers", "Shows the background activities of a node, pauses them and sets their pace")
        {
            Examples =
            [
                "filetransfer workers list --url http://node-b:7070",
                "filetransfer workers pause scrub --for 2h --url http://node-b:7070",
                "filetransfer workers set orphans --pace 10m --url http://node-b:7070",
            ],
        }.Taking(CreateList(), CreatePause(), CreateResume(), CreateSet());

    private static CliCommand CreateList() =>
        new CliCommand("list", "Lists them: state, since when, rounds, pace, progress, last error")
        {
            Examples = ["filetransfer workers list --url http://node-b:7070"],
        }.AsksOneNode(async run =>
        {
            foreach (var worker in (await run.AskAsync(node => node.GetAsync<WorkersResource>(Routes.Workers))).Workers)
            {
                run.Console.Result(LineOf(worker), worker);
            }

            return ExitCode.Ok;
        });

    private static CliCommand CreatePause()
    {
        var name = NameArgument();
        var within = Duration.Option("--for", "Go on by itself after this, 24h at most (default 1h).");
        return new CliCommand("pause", "Pauses one after what it does now")
        {
            Examples = ["filetransfer workers pause scrub --for 2h --url http://node-b:7070"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(name, within)
            .AsksOneNode(run =>
                AskAsync(
                    run,
                    HttpMethod.Post,
                    Routes.Of(Routes.WorkerPause, run.Get(name)),
                    NodeClient.Json(new WorkerPauseRequest(Text(run.Given(within))))
                )
            );
    }

    private static CliCommand CreateResume()
    {
        var name = NameArgument();
        return new CliCommand("resume", "Ends the pause of one")
        {
            Examples = ["filetransfer workers resume scrub --url http://node-b:7070"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(name)
            .AsksOneNode(run => AskAsync(run, HttpMethod.Post, Routes.Of(Routes.WorkerResume, run.Get(name)), null));
    }

    private static CliCommand CreateSet()
    {
        var name = NameArgument();
        var pace = Duration.Option("--pace", "The time between two rounds; as usual when left out.");
        return new CliCommand("set", "Sets the pace of one until the node's process ends")
        {
            Notes = ["Those without a pace work whenever there is work; 'workers list' has a dash there."],
            Examples = ["filetransfer workers set orphans --pace 10m --url http://node-b:7070"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(name, pace)
            .AsksOneNode(run =>
                AskAsync(
                    run,
                    HttpMethod.Put,
                    Routes.Of(Routes.Worker, run.Get(name)),
                    NodeClient.Json(new WorkerSettings(Text(run.Given(pace))))
                )
            );
    }

    private static Argument<string> NameArgument() =>
        new("NAME") { Description = "The worker, as 'filetransfer workers list' names it." };

    private static string? Text(TimeSpan? given) =>
        given is { } time ? $"{time.TotalSeconds.ToString(CultureInfo.InvariantCulture)}s" : null;

    private static async Task<ExitCode> AskAsync(Invocation run, HttpMethod method, string path, HttpContent? body)
    {
        var worker = await run.AskAsync(node => node.AskAsync<WorkerResource>(method, path, body));
        return run.Show(LineOf(worker), worker);
    }

    private static string LineOf(WorkerResource worker) =>
        string.Join(
            '\t',
            worker.Name,
            worker.PausedUntil is { } until ? $"{worker.State} until {until:u}" : worker.State,
            worker.Since is { } since ? $"{since:u}" : "-",
            $"{worker.Rounds} rounds",
            worker.PaceSeconds is { } pace ? $"every {pace.ToString("0.###", CultureInfo.InvariantCulture)} s" : "-",
            worker.Progress ?? worker.About,
            worker.LastError is { } fault ? $"{fault} ({worker.LastErrorAt:u})" : "-"
        );
}
