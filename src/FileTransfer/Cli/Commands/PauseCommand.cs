using System.CommandLine;
using System.CommandLine.Parsing;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer pause|resume KEY | --bucket HEX | --all</c></summary>
internal static class PauseCommand
{
    private static readonly TimeSpan _longest = TimeSpan.FromHours(24);

    public static Command CreatePause()
    {
        var within = Duration.Option("--for", "Resume by itself after this, 24h at most (default 24h).");
        var forever = CliOption.Flag("--forever", "Do not resume by itself.");
        return Create(
            new CliCommand("pause", "Pauses downloads of a node: all, those of a bucket, or one file")
            {
                Notes =
                [
                    "What has come of a file is kept. A pause ends by itself, also where the node is started anew meanwhile.",
                    "'filetransfer list --state paused' lists the files of paused buckets; while everything is paused, files stay in the queue.",
                ],
                Examples =
                [
                    "filetransfer pause --all --for 2h --url http://node-b:7070",
                    "filetransfer pause --bucket 0x22… --forever",
                    "filetransfer pause --bucket 0x22… --dry-run",
                    "filetransfer pause 0x3f…",
                ],
            }
                .Taking(within, forever)
                .Refusing(result =>
                    result.GetResult(within) is not null && result.GetValue(forever) ? "Give --for or --forever."
                    : result.GetValue(within) > _longest ? "--for is 24h at most; --forever has no end."
                    : null
                ),
            Routes.Pause,
            (run, scope) =>
                run.Get(forever) ? scope with { Forever = true }
                : run.Given(within) is { } time
                    ? scope with
                    {
                        For = $"{time.TotalSeconds.ToString(CultureInfo.InvariantCulture)}s",
                    }
                : scope,
            answer => $"{answer.Files} files wait, {answer.Downloads} downloads stopped"
        );
    }

    public static Command CreateResume() =>
        Create(
            new CliCommand("resume", "Ends the pause of a file or a bucket at a node, or with --all every pause there is")
            {
                Examples = ["filetransfer resume --all --url http://node-b:7070", "filetransfer resume --bucket 0x22…"],
            },
            Routes.Resume,
            (_, scope) => scope,
            answer => $"{answer.Files} files are wanted again"
        );

    private static CliCommand Create(
        CliCommand command,
        string route,
        Func<Invocation, PauseRequest, PauseRequest> complete,
        Func<PausesResource, string> describe
    )
    {
        var key = IdentityOptions.Key(ArgumentArity.ZeroOrOne);
        var bucket = IdentityOptions.HexOption("--bucket", "All files of this bucket.");
        var all = CliOption.Flag("--all", "Every download of the node.");
        var dryRun = CliOption.Flag("--dry-run", "Change nothing; say how many files it would be.");
        return command
            .Taking(key, bucket, all, dryRun)
            .Refusing(Fault)
            .AsksOneNode(async run =>
            {
                var scope = complete(
                    run,
                    new PauseRequest(
                        run.Given(bucket) is { } one ? one.ToString() : null,
                        run.IsGiven(key) ? run.Get(key).ToString() : null
                    )
                );
                var path = run.Get(dryRun) ? $"{route}?dryRun=true" : route;
                var answer = await run.AskAsync(node =>
                    node.AskAsync<PausesResource>(HttpMethod.Post, path, NodeClient.Json(scope), NodeClient.LongWithin)
                );
                var lines = answer.Pauses.Select(pause =>
                    $"paused\t{pause.Key ?? pause.Bucket ?? "everything"}\t{(pause.Until is { } until ? $"until {until:u}" : "until it is resumed")}\tby {pause.By}"
                );
                return run.Show(
                    [$"{(run.Get(dryRun) ? "would be: " : "")}{describe(answer)} at {answer.Node}", .. lines],
                    answer
                );
            });

        string? Fault(CommandResult result)
        {
            var named =
                (result.GetResult(key)?.Tokens.Count > 0 ? 1 : 0)
                + (result.GetResult(bucket) is null ? 0 : 1)
                + (result.GetValue(all) ? 1 : 0);
            return named == 1 ? null : "Give a KEY, or --bucket, or --all.";
        }
    }
}
