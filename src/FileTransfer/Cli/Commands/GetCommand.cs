using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer get KEY…</c></summary>
internal static class GetCommand
{
    public static Command Create()
    {
        var keys = IdentityOptions.Keys();
        var output = CliOption.Text(
            "--output",
            "PATH",
            "A file, a folder, or - for standard output (default: the last part of each location, in the current folder).",
            "-o"
        );
        return new CliCommand("get", "Downloads files and verifies each against its key")
        {
            Notes =
            [
                "A download resumes after a lost connection, at any of the nodes. An existing file at PATH is replaced, once the new one is verified.",
                "An interrupted download stays beside the target as .KEY.partial; the same command resumes it and verifies all of it.",
                "While a node's database is away, the node knows only size and fingerprint: the content is verified against these, but not",
                "that they belong to KEY, and the file is named by its key. get says so; with --json, 'proven' is fingerprint instead of key.",
                "For standard output, the content is collected in the temporary folder first: nothing unverified is written.",
                "Of several files with the same name in one folder, all but the first are named by their keys.",
            ],
            Examples =
            [
                "filetransfer get 0x3f… --output photo.jpg",
                "filetransfer get 0x3f… --output - | tar x",
                "filetransfer get 0x3f… 0x9a… --output photos/",
                "filetransfer get 0x3f… --url http://node-a:7070 --url http://node-b:7070",
            ],
            Ends = [ExitCode.NotComplete, ExitCode.NotFound, ExitCode.NotProven, ExitCode.Interrupted],
        }
            .Taking(keys, output)
            .Refusing(result =>
                result.GetResult(keys) is { Tokens.Count: > 1 }
                && result.GetResult(output) is { Tokens: [var path] }
                && !GetRun.IsFolder(path.Value)
                    ? $"Several files do not fit into '{path.Value}'. Give --output a folder."
                    : null
            )
            .AsksNodes(run =>
                run.Console.WithProgressAsync(progress => new GetRun(run, run.Get(output), progress).GetAllAsync(run.Get(keys)))
            );
    }
}
