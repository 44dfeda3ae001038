using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer remove KEY… | --bucket HEX [--prefix TEXT]</c></summary>
internal static class RemoveCommand
{
    /// <summary>Nobody means more without having said so.</summary>
    private const int MostUnasked = 100;

    public static Command Create()
    {
        var keys = IdentityOptions.Keys(ArgumentArity.ZeroOrMore);
        var bucket = IdentityOptions.HexOption("--bucket", "All files of this bucket, or those of --prefix.");
        var prefix = CliOption.Text("--prefix", "TEXT", "With --bucket: only files whose location begins with this text.");
        var yes = CliOption.Flag("--yes", $"Do it: needed for more than {MostUnasked} files, and with --bucket.");
        var dry = CliOption.Flag("--dry-run", "Only say what would be removed.");
        var now = CliOption.Flag("--now", "For good: their contents go at once, also of files that were removed already.");
        return new CliCommand("remove", "Removes files from every node of the cluster, even while they are being downloaded")
        {
            Notes =
            [
                "Contents are kept for FileTransfer:Store:TrashPeriod (24 h), where nobody can read them: 'filetransfer restore KEY' brings",
                "a file back for so long. With --now there is no way back, except at other clusters that have the files.",
            ],
            Examples =
            [
                "filetransfer remove 0x3f… 0x9a… --url http://node-a:7070",
                "filetransfer remove --bucket 0x22… --prefix photos/2019/ --dry-run",
                "filetransfer remove 0x3f… --now",
            ],
            Ends = [ExitCode.NotFound],
        }
            .Taking(keys, bucket, prefix, yes, dry, now)
            .Refusing(result =>
                result.GetResult(keys)?.Tokens.Count > 0 == result.GetResult(bucket) is not null
                    ? "Give the KEYs of the files to remove, or --bucket."
                : result.GetValue(prefix) is not null && result.GetResult(bucket) is null ? "--prefix goes with --bucket."
                : null
            )
            .AsksNodes(async run =>
            {
                var isBucket = run.Given(bucket) is not null;
                var files = isBucket
                    ? await FilesOfAsync(run, new ListFilter(run.Given(bucket), null, run.Get(prefix), null))
                    : [];
                var chosen = isBucket ? [.. files.Select(file => file.Key)] : run.Get(keys);
                var needsYes = isBucket || chosen.Length > MostUnasked;
                if (run.Get(dry) || (needsYes && !run.Get(yes)))
                {
                    return Show(run, chosen, isBucket ? files.Sum(file => file.Size) : null, isRefused: !run.Get(dry));
                }

                return await run.EachAsync(chosen, key => RemoveAsync(run, key, run.Get(now)));
            });
    }

    private static async Task<List<(FileKey Key, long Size)>> FilesOfAsync(Invocation run, ListFilter filter)
    {
        var files = new List<(FileKey, long)>();
        await foreach (var file in run.Nodes.ListAsync(filter))
        {
            if (FileKey.TryParse(file.Key, out var key))
            {
                files.Add((key, file.Size));
            }
        }

        return files;
    }

    private static ExitCode Show(Invocation run, FileKey[] keys, long? bytes, bool isRefused)
    {
        foreach (var key in keys)
        {
            run.Show($"{key} would be removed", new KeyStateLine(key.ToString(), "would be removed"));
        }

        run.Console.Notice(
            $"{keys.Length} file{(keys.Length == 1 ? "" : "s")}{(bytes is { } size ? $" of {size} bytes" : "")} would be removed from every node; nothing was removed."
                + (isRefused ? " To remove them, add --yes." : "")
        );
        return isRefused ? ExitCode.Usage : ExitCode.Ok;
    }

    private static async Task<ExitCode> RemoveAsync(Invocation run, FileKey key, bool now)
    {
        var path = Routes.Of(Routes.File, key) + (now ? "?now=true" : "");
        return await run.AskAsync(node => node.FindAsync<KeptFile>(HttpMethod.Delete, path)) is { } kept
            ? run.Show(
                $"{key} stays, for the upstreams that have it: {string.Join(", ", kept.KeptFor)}",
                new KeyStateLine(key.ToString(), "kept")
            )
            : run.Show($"{key} removed", new KeyStateLine(key.ToString(), "removed"));
    }
}
