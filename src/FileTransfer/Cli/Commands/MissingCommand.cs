using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer missing BUCKET</c></summary>
internal static class MissingCommand
{
    public static Command Create()
    {
        var bucket = IdentityOptions.BucketArgument();
        return new CliCommand("missing", "Lists the files of a bucket that a node wants but lacks, or has only in part")
        {
            Notes =
            [
                "A line each: key, state, bytes proven, size, nodes that have it, location, reason; in the order of keys.",
                "Exits with 0 when nothing is missing, with 3 when something is.",
            ],
            Examples =
            [
                "filetransfer missing 0x22… --url http://node-b:7070",
                "filetransfer missing 0x22… --json | jq -r 'select(.sources == 0) | .key'   (what nobody has)",
            ],
            Ends = [ExitCode.NotComplete],
        }
            .Taking(bucket)
            .AsksOneNode(async run =>
            {
                var last = "";
                await run.Nodes.RunAsync(async node =>
                {
                    using var files = await node.OpenLinesAsync<MissingFile>(Routes.Of(Routes.Missing, run.Get(bucket)));
                    while (await files.ReadAsync() is { } file)
                    {
                        // After a lost connection the list comes again from its beginning.
                        if (string.CompareOrdinal(file.Key, last) > 0)
                        {
                            last = file.Key;
                            run.Console.Result(TextOf(file), file);
                        }
                    }
                });
                return last.Length == 0 ? ExitCode.Ok : ExitCode.NotComplete;
            });
    }

    private static string TextOf(MissingFile file) =>
        $"{file.Key}\t{file.State}\t{file.BytesProven}\t{file.Size}\t{file.Sources}\t{PrintedText.Line(file.Location ?? file.LocationHex)}\t{file.Reason ?? "-"}";
}
