using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer verify URL_A URL_B</c></summary>
internal static class VerifyCommand
{
    private const string NotStored = "NOT_STORED";
    private const string Stored = "stored";

    public static Command Create()
    {
        var one = UrlArgument("URL_A");
        var other = UrlArgument("URL_B");
        var bucket = IdentityOptions.HexOption("--bucket", "Only files of this bucket.");
        return new CliCommand("verify", "Compares the files of two nodes, of one cluster or of two")
        {
            Notes =
            [
                "Prints a line for each file that they do not both have stored: MISSING (B does not know it), EXTRA (A does not know it), NOT_STORED",
                "with A, B or both (known there, content not stored), OTHER_METADATA (one of them is wrong: the key is the hash of the metadata).",
                "Exits with 0 when they are the same, with 2 when not. What changes while it is compared may be listed.",
            ],
            Examples =
            [
                "filetransfer verify http://node-a:7070 http://node-b:7070",
                "filetransfer verify URL_A URL_B --bucket 0x22… --json",
            ],
            Ends = [ExitCode.Usage],
        }
            .Taking(one, other, bucket)
            .AsksNodes(async run =>
            {
                var filter = new ListFilter(run.Given(bucket), null, null, null);
                var end = ExitCode.Ok;
                await foreach (var (a, b) in PairsAsync(FilesAt(run.Get(one)), FilesAt(run.Get(other))))
                {
                    if (DifferenceOf(a, b) is { } difference)
                    {
                        end = ExitCode.Usage;
                        var key = (a ?? b)!.Key;
                        var where = difference == NotStored ? $"\t{LackingOf(a!, b!)}" : "";
                        run.Console.Result($"{difference}\t{key}{where}", new VerifyLine(key, difference, a?.State, b?.State));
                    }
                }

                return end;

                IAsyncEnumerable<FileResource> FilesAt(Uri node) => run.Nodes.At(node).ListAsync(filter);
            });
    }

    private static string? DifferenceOf(FileResource? a, FileResource? b) =>
        (a, b) switch
        {
            ({ }, null) => "MISSING",
            (null, { }) => "EXTRA",
            ({ } one, { } other) when MetadataOf(one) != MetadataOf(other) => "OTHER_METADATA",
            ({ State: Stored }, { State: Stored }) => null,
            _ => NotStored,
        };

    private static FileRegistration MetadataOf(FileResource file) =>
        new(file.Owner, file.Bucket, file.Location, file.LocationHex, (ulong)file.Size, file.Fingerprint);

    /// <summary>Which of the two have not stored it.</summary>
    private static string LackingOf(FileResource a, FileResource b) =>
        string.Join(", ", new[] { (a, "A"), (b, "B") }.Where(at => at.Item1.State != Stored).Select(at => at.Item2));

    /// <summary>Two listings in the order of keys, side by side: null where one of them does not have the file.</summary>
    private static async IAsyncEnumerable<(FileResource? A, FileResource? B)> PairsAsync(
        IAsyncEnumerable<FileResource> some,
        IAsyncEnumerable<FileResource> others
    )
    {
        await using var a = some.GetAsyncEnumerator();
        await using var b = others.GetAsyncEnumerator();
        var (hasA, hasB) = (await a.MoveNextAsync(), await b.MoveNextAsync());
        while (hasA || hasB)
        {
            var order =
                !hasA ? 1
                : !hasB ? -1
                : string.CompareOrdinal(a.Current.Key, b.Current.Key);
            yield return (order <= 0 ? a.Current : null, order >= 0 ? b.Current : null);
            hasA = order <= 0 ? await a.MoveNextAsync() : hasA;
            hasB = order >= 0 ? await b.MoveNextAsync() : hasB;
        }
    }

    private static Argument<Uri> UrlArgument(string name) =>
        new(name)
        {
            Description = "A node's URL.",
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (NodeUrl.TryParse(text, out var url))
                {
                    return url;
                }

                result.AddError($"{name} is '{text}'. Write a node's URL like http://127.0.0.1:7070.");
                return null;
            },
        };
}
