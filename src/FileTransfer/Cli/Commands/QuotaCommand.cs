using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer quota list|set|remove</c></summary>
internal static class QuotaCommand
{
    public static Command Create() =>
        new CliCommand("quota", "Shows and sets how much the files of a bucket may be")
        {
            Examples =
            [
                "filetransfer quota list",
                "filetransfer quota set 0x22… --bytes 500GB --files 1000000",
                "filetransfer quota remove 0x22…",
            ],
        }.Taking(CreateList(), CreateSet(), CreateRemove());

    private static CliCommand CreateList() =>
        new CliCommand("list", "Lists the buckets that have a quota, with what they have; 3 where one has more than that")
        {
            Examples = ["filetransfer quota list"],
            Ends = [ExitCode.NotComplete],
        }.AsksNodes(async run =>
        {
            var isExceeded = false;
            for (string? after = ""; after is not null; )
            {
                var path = after.Length == 0 ? Routes.Quotas : $"{Routes.Quotas}?after={after}";
                var page = await run.AskAsync(node => node.GetAsync<QuotaListing>(path));
                foreach (var quota in page.Quotas)
                {
                    run.Show(LineOf(quota), quota);
                    isExceeded |= quota.Exceeded;
                }

                after = page.Next;
            }

            return isExceeded ? ExitCode.NotComplete : ExitCode.Ok;
        });

    private static CliCommand CreateSet()
    {
        var bucket = IdentityOptions.BucketArgument();
        var bytes = CliOption.Text("--bytes", "SIZE", "How many bytes they may have in all, such as 500GB (default: any).");
        var files = CliOption.Text("--files", "N", "How many they may be (default: any).");
        CliOption.Check(bytes, text => TryReadBytes(text, out _), "a number of bytes, or a size up to 1TiB such as 500GB");
        CliOption.Check(files, text => TryReadNumber(text, out _), "a number, such as 100000");
        return new CliCommand("set", "Sets how much they may be; what is not given is not bounded")
        {
            Notes =
            [
                "Whoever registers or uploads more is refused; what upstreams have and what loads name comes all the same, and counts.",
                "All files of the bucket are counted first, and none is added or removed meanwhile.",
            ],
            Examples = ["filetransfer quota set 0x22… --bytes 500GB"],
            Ends = [ExitCode.NotComplete],
        }
            .Taking(bucket, bytes, files)
            .AsksNodes(async run =>
            {
                long? size = run.Get(bytes) is { } text && TryReadBytes(text, out var read) ? read : null;
                long? number = run.Get(files) is { } given && TryReadNumber(given, out var count) ? count : null;
                if (size is null && number is null)
                {
                    throw new CliException(ExitCode.Usage, "Give --bytes, --files or both.");
                }

                var quota = await run.AskAsync(node =>
                    node.AskAsync<QuotaResource>(
                        HttpMethod.Put,
                        Routes.Of(Routes.Quota, run.Get(bucket)),
                        NodeClient.Json(new QuotaRequest(size, number)),
                        NodeClient.LongWithin
                    )
                );
                run.Show(LineOf(quota), quota);
                return quota.Exceeded ? ExitCode.NotComplete : ExitCode.Ok;
            });
    }

    private static CliCommand CreateRemove()
    {
        var bucket = IdentityOptions.BucketArgument();
        return new CliCommand("remove", "Removes the quota: the bucket may have as much as there is room for")
        {
            Examples = ["filetransfer quota remove 0x22…"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(bucket)
            .AsksNodes(async run =>
            {
                var path = Routes.Of(Routes.Quota, run.Get(bucket));
                await run.AskAsync(node => node.FindAsync<QuotaResource>(HttpMethod.Delete, path));
                return run.Show($"{run.Get(bucket)} has no quota", new KeyStateLine($"{run.Get(bucket)}", "removed"));
            });
    }

    private static bool TryReadBytes(string text, out long bytes) =>
        TryReadNumber(text, out bytes) || ByteSize.TryParse(text, out bytes);

    private static bool TryReadNumber(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static string LineOf(QuotaResource quota) =>
        $"{quota.Bucket}\t{quota.UsedBytes} of {(quota.Bytes is { } bytes ? $"{bytes}" : "any")} bytes"
        + $"\t{quota.UsedFiles} of {(quota.Files is { } files ? $"{files}" : "any")} files{(quota.Exceeded ? "\texceeded" : "")}";
}
