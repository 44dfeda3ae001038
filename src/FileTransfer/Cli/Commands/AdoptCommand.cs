using System.CommandLine;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer adopt SHARE</c></summary>
internal static class AdoptCommand
{
    public static Command Create()
    {
        var share = new Argument<string>("SHARE") { Description = "The share, as FileTransfer:Sources of the node names it." };
        var bucket = IdentityOptions.HexOption("--bucket", "Only files of this bucket.");
        var readd = CliOption.Flag("--readd", "Add files again that were removed from the cluster.");
        return new CliCommand("adopt", "Makes the files that a share lists the cluster's own, and downloads them")
        {
            Notes =
            [
                "The share has an index.ndjson, as 'filetransfer export' writes it. A line whose key is not the hash of its metadata is passed over.",
                "So a cluster begins from a folder on a web server, or comes back from one.",
            ],
            Examples = ["filetransfer adopt mirror", "filetransfer adopt mirror --bucket 0x22…"],
            Ends = [ExitCode.NotFound, ExitCode.NotProven],
        }
            .Taking(share, bucket, readd)
            .AsksOneNode(async run =>
            {
                List<string> query = [];
                if (run.Given(bucket) is { } one)
                {
                    query.Add($"bucket={one}");
                }

                if (run.Get(readd))
                {
                    query.Add("readd=true");
                }

                var path = $"{Routes.Of(Routes.Adopt, run.Get(share))}{(query.Count > 0 ? "?" : "")}{string.Join('&', query)}";
                var adopted = await run.AskAsync(node =>
                    node.AskAsync<AdoptedResource>(HttpMethod.Post, path, within: NodeClient.LongWithin)
                );
                run.Show(
                    $"{adopted.Source}\t{adopted.Files} files, {adopted.Bytes} bytes\t{adopted.Wanted} to be downloaded"
                        + $"\t{adopted.Removed} removed before\t{adopted.Refused} not proven",
                    adopted
                );
                return adopted.Refused > 0 ? ExitCode.NotProven : ExitCode.Ok;
            });
    }
}
