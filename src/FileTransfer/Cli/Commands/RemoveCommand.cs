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
                        await run.Nodes.RunAsync(node => node.TellAsync(HttpMethod.Delete, Routes.Of(Routes.File, key)));
                        return run.Show($"{key} removed", new KeyStateLine(key.ToString(), "removed"));
                    }
                )
            );
    }
}
