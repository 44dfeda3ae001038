using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer cancel KEY…</c></summary>
internal static class CancelCommand
{
    public static Command Create()
    {
        var keys = IdentityOptions.Keys();
        var yes = CliOption.Flag("--yes", "Do it; without this, the command only says what would end.", "-y");
        return new CliCommand(
            "cancel",
            "Gives files up that a node is to have and has not: their downloads end, what has come is deleted"
        )
        {
            Notes =
            [
                "Every intent for the file at the node is withdrawn. A file that the node's policy wants cannot be given up: pause it, or change the policy.",
                "Other nodes keep it, and go on downloading it.",
            ],
            Examples = ["filetransfer cancel 0x3f… --yes --url http://node-b:7070"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(keys, yes)
            .AsksOneNode(run =>
                run.EachAsync(
                    run.Get(keys),
                    async key =>
                    {
                        if (!run.Get(yes))
                        {
                            var now = await run.AskAsync(node => node.GetFileAsync(key));
                            throw new CliException(
                                ExitCode.Usage,
                                $"{key} is {now.State} here. Nothing was done; add --yes to give it up."
                            );
                        }

                        var path = Routes.Of(Routes.Cancel, key);
                        var file = await run.AskAsync(node => node.AskAsync<FileResource>(HttpMethod.Post, path));
                        return run.Show($"{key} {file.State}", new Output.KeyStateLine(key.ToString(), file.State));
                    }
                )
            );
    }
}
