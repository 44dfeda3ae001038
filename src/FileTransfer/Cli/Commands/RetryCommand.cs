using System.CommandLine;
using System.CommandLine.Parsing;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer retry KEY… | --all [--cause SLUG]</c></summary>
internal static class RetryCommand
{
    public static Command Create()
    {
        var keys = IdentityOptions.Keys(ArgumentArity.ZeroOrMore);
        var all = CliOption.Flag("--all", "All files of the node whose last attempt failed.");
        var causes = string.Join(", ", FailureCauses.Slugs);
        var cause = CliOption.Text("--cause", "CAUSE", $"With --all: only those that failed for this cause: {causes}.");
        return new CliCommand("retry", "Retries files at a node now: failed ones, and ones that wait after a failed attempt")
        {
            Notes = ["A node also retries them by itself: when a source comes back, and now and then to see what still fails."],
            Examples =
            [
                "filetransfer retry 0x3f… --url http://node-b:7070",
                "filetransfer retry --all --url http://node-b:7070",
                "filetransfer retry --all --cause wrong-bytes --url http://node-b:7070",
            ],
            Ends = [ExitCode.NotFound],
        }
            .Taking(keys, all, cause)
            .Refusing(Fault)
            .AsksOneNode(async run =>
            {
                if (!run.Get(all))
                {
                    return await run.EachAsync(
                        run.Get(keys),
                        async key =>
                        {
                            var path = Routes.Of(Routes.Retry, key);
                            var file = await run.AskAsync(node => node.AskAsync<FileResource>(HttpMethod.Post, path));
                            return run.Show($"{key} {file.State}", new KeyStateLine(key.ToString(), file.State));
                        }
                    );
                }

                var route = run.Get(cause) is { } slug ? $"{Routes.RetryAll}?cause={slug}" : Routes.RetryAll;
                var answer = await run.AskAsync(node => node.AskAsync<RetriedResource>(HttpMethod.Post, route));
                return run.Show($"{answer.Retried} files are being retried at {answer.Node}", answer);
            });

        string? Fault(CommandResult result)
        {
            var slug = result.GetValue(cause);
            return result.GetValue(all) == result.GetResult(keys)?.Tokens.Count > 0
                    ? "Give the KEYs of the files to retry, or --all."
                : slug is not null && !result.GetValue(all) ? "--cause goes with --all."
                : !FailureCauses.TryParse(slug, out _) ? $"'{slug}' is not a cause; give one of {causes}."
                : null;
        }
    }
}
