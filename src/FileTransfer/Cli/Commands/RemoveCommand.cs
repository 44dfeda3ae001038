using System.CommandLine;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer remove KEY…</c></summary>
internal static class RemoveCommand
{
    public static Command Create()
    {
        var keys = IdentityOptions.Keys();
        return new CliCommand("remove", "Removes files from every node of the cluster, even while they are being downloaded")
        {
            Examples = ["filetransfer remove 0x3f… 0x9a… --url http://node-a:7070"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(keys)
            .AsksNodes(run =>
                run.EachAsync(
                    run.Get(keys),
                    async key =>
                    {
                        var path = Routes.Of(Routes.File, key);
                        return await run.AskAsync(node => node.FindAsync<KeptFile>(HttpMethod.Delete, path)) is { } kept
                            ? run.Show(
                                $"{key} stays, for the upstreams that have it: {string.Join(", ", kept.KeptFor)}",
                                new KeyStateLine(key.ToString(), "kept")
                            )
                            : run.Show($"{key} removed", new KeyStateLine(key.ToString(), "removed"));
                    }
                )
            );
    }
}
