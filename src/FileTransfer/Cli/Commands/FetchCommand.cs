using System.CommandLine;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer fetch KEY…</c></summary>
internal static class FetchCommand
{
    public static Command Create()
    {
        var keys = IdentityOptions.Keys();
        var detach = CliOption.Flag("--detach", "Leave the intents at the node and exit at once; each line names the intent.");
        var withdraw = new Option<Guid?>("--withdraw")
        {
            Description = "Withdraw this intent for KEY instead of making one.",
            HelpName = "INTENT",
        };
        var wait = Duration.Option("--wait", "Wait no longer than this for all the files (default: until they are there).");
        return new CliCommand("fetch", "Makes a node download files now, and waits until it has them")
        {
            Notes =
            [
                "With several URLs, the first node that answers downloads them. A command that ends before the files are there withdraws",
                "its intents; downloads that no other intent and no policy of the node wants end with them.",
            ],
            Examples =
            [
                "filetransfer fetch 0x3f… --url http://node-b:7070",
                "filetransfer fetch 0x3f… 0x9a… --wait 10m",
                "filetransfer fetch 0x3f… --detach",
                "filetransfer fetch 0x3f… --withdraw 0198a5d2-6f0e-7c3a-9b41-5d2f8e6a1c07",
            ],
            Ends = [ExitCode.NotComplete, ExitCode.TimedOut, ExitCode.NotFound, ExitCode.Interrupted],
        }
            .Taking(keys, detach, withdraw, wait)
            .Refusing(result =>
                result.GetResult(withdraw) is not null && result.GetResult(keys) is { Tokens.Count: > 1 }
                    ? "An intent is for one file: give --withdraw one KEY."
                    : null
            )
            .AsksNodes(async run =>
            {
                var files = run.Get(keys);
                if (run.Get(withdraw) is { } id)
                {
                    return Show(run, await WantedFiles.WithdrawAsync(run.Nodes, files[0], id));
                }

                var wanted = new WantedFiles(run);
                return run.Get(detach)
                    ? await run.EachAsync(
                        files,
                        async key => Show(run, (await wanted.AskAsync(key, run.CancellationToken)).Answer)
                    )
                    : await wanted.BringAsync(files, run.Given(wait));
            });
    }

    /// <summary>Prints where an intent stands.</summary>
    public static ExitCode Show(Invocation run, IntentResource answer) =>
        run.Show($"{answer.Key}\t{answer.Outcome ?? answer.State}\t{answer.Id}\t{answer.Says}", answer);
}
