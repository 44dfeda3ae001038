using System.CommandLine;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer priority NUMBER KEY | --bucket HEX</c></summary>
internal static class PriorityCommand
{
    public static Command Create()
    {
        var priority = new Argument<int>("NUMBER") { Description = "-100 to 100: 0 as others, 1 as what an intent asks for." };
        var key = IdentityOptions.Key(ArgumentArity.ZeroOrOne);
        var bucket = IdentityOptions.HexOption("--bucket", "All files of this bucket, also those that are added later.");
        var dryRun = CliOption.Flag("--dry-run", "Of a bucket: change nothing; say how many files it would be.");
        return new CliCommand("priority", "Puts a file, or the files of a bucket, before or behind others at a node")
        {
            Notes =
            [
                "What has a higher priority is claimed first, and gets the next requests among the downloads under way. Where every lane is busy,",
                "downloads of lower ones give their lanes back and go on later with what they have.",
            ],
            Examples =
            [
                "filetransfer priority 10 0x3f… --url http://node-b:7070",
                "filetransfer priority -5 --bucket 0x22… --dry-run",
            ],
        }
            .Taking(priority, key, bucket, dryRun)
            .Refusing(result =>
                result.GetValue(priority) is < -100 or > 100 ? "NUMBER is -100 to 100."
                : (result.GetResult(key)?.Tokens.Count > 0) == result.GetResult(bucket) is not null ? "Give a KEY, or --bucket."
                : result.GetValue(dryRun) && result.GetResult(bucket) is null ? "--dry-run goes with --bucket."
                : null
            )
            .AsksOneNode(async run =>
            {
                var route = run.Given(bucket) is { } one
                    ? Routes.Of(Routes.BucketPriority, one) + (run.Get(dryRun) ? "?dryRun=true" : "")
                    : Routes.Of(Routes.FilePriority, run.Get(key));
                var body = NodeClient.Json(new PriorityRequest(run.Get(priority)));
                var answer = await run.AskAsync(node =>
                    node.AskAsync<PriorityResource>(HttpMethod.Put, route, body, NodeClient.LongWithin)
                );
                return run.Show(
                    $"{(answer.DryRun ? "would be: " : "")}{answer.Files} files have priority {answer.Priority} at {answer.Node}, "
                        + $"{answer.Downloads} downloads gave their lanes back",
                    answer
                );
            });
    }
}
