using System.CommandLine;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer copies show|set|delete BUCKET</c></summary>
internal static class CopiesCommand
{
    private const int Most = 1000;

    public static Command Create()
    {
        var number = CliOption.Number("--at-least", Most, "How many copies of each file are kept.");
        number.Required = true;
        return new CliCommand("copies", "Shows how many copies a bucket's files have, and sets how many are kept at least")
        {
            Examples =
            [
                "filetransfer copies show 0x22…",
                "filetransfer copies set 0x22… --at-least 2",
                "filetransfer copies delete 0x22…",
            ],
        }.Taking(
            Create(
                new CliCommand("show", "Shows desired and current copies of a bucket's files; 3 where there are too few of some")
                {
                    Examples = ["filetransfer copies show 0x22…"],
                    Ends = [ExitCode.NotComplete],
                },
                (_, bucket) => node => node.GetAsync<BucketHealthResource>(Routes.Of(Routes.BucketHealth, bucket))
            ),
            Create(
                new CliCommand("set", "Sets how many copies are kept: no pruning and no evacuation leaves fewer")
                {
                    Notes = ["A floor for what is dropped, in the whole cluster: every node still holds what its policy wants."],
                    Examples = ["filetransfer copies set 0x22… --at-least 2"],
                    Ends = [ExitCode.NotComplete],
                }.Taking(number),
                (run, bucket) => Set(bucket, run.Get(number))
            ),
            Create(
                new CliCommand("delete", "Deletes what was set: only the last copy is kept in any case")
                {
                    Examples = ["filetransfer copies delete 0x22…"],
                    Ends = [ExitCode.NotComplete],
                },
                (_, bucket) => Set(bucket, null)
            )
        );
    }

    private static CliCommand Create(
        CliCommand command,
        Func<Invocation, ByteString, Func<NodeClient, Task<BucketHealthResource>>> ask
    )
    {
        var bucket = IdentityOptions.BucketArgument();
        return command
            .Taking(bucket)
            .AsksNodes(async run =>
            {
                var health = await run.AskAsync(ask(run, run.Get(bucket)));
                run.Show(LinesOf(health), health);
                return health.UnderReplicated == 0 ? ExitCode.Ok : ExitCode.NotComplete;
            });
    }

    private static Func<NodeClient, Task<BucketHealthResource>> Set(ByteString bucket, int? copies) =>
        node =>
            node.AskAsync<BucketHealthResource>(
                copies is null ? HttpMethod.Delete : HttpMethod.Put,
                Routes.Of(Routes.BucketCopies, bucket),
                copies is null ? null : NodeClient.Json(new CopiesRequest(copies)),
                NodeClient.LongWithin
            );

    private static IEnumerable<string> LinesOf(BucketHealthResource health) =>
        [
            $"{health.Bucket}\t{health.Files} files, {health.Stored} copies at {health.Nodes} nodes; "
                + $"{(health.Copies is { } floor ? $"at least {floor} of each are kept" : "no floor but the last copy")}",
            $"{health.UnderReplicated} have too few copies, {health.Missing} have none",
            .. health.First.Select(file => $"{file.Key}\t{file.Copies}\t{PrintedText.Line(file.Location ?? "-")}"),
        ];
}
