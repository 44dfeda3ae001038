using System.CommandLine;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer restore KEY…</c></summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var keys = IdentityOptions.Keys();
        return new CliCommand("restore", "Brings removed files back, while their contents are kept")
        {
            Notes =
            [
                "Nodes keep the contents of removed files for FileTransfer:Store:TrashPeriod (24 h), or until their disks need the room.",
                "Which files were removed: filetransfer changes, filetransfer audit.",
            ],
            Examples = ["filetransfer restore 0x3f… 0x9a… --url http://node-a:7070"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(keys)
            .AsksNodes(run =>
                run.EachAsync(
                    run.Get(keys),
                    async key =>
                    {
                        var path = Routes.Of(Routes.Restore, key);
                        var file = await run.AskAsync(node => node.AskAsync<FileResource>(HttpMethod.Post, path));
                        return run.Show($"{key} {file.State}", new KeyStateLine(key.ToString(), file.State));
                    }
                )
            );
    }
}
