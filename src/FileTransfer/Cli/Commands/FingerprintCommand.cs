using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer fingerprint FILE…</c></summary>
internal static class FingerprintCommand
{
    private const string StandardInput = "-";

    public static Command Create()
    {
        var files = CliOption.Several("FILE", ArgumentArity.OneOrMore, "The files; - is standard input.");
        return new CliCommand("fingerprint", "Prints the fingerprint of each file: the root of its chunk trie")
        {
            Examples = ["filetransfer fingerprint photo.jpg video.mp4", "tar c folder | filetransfer fingerprint -"],
        }
            .Taking(files)
            .Runs(run => run.Console.WithProgressAsync(progress => PrintAsync(run.Get(files), run, progress)));
    }

    private static async Task<ExitCode> PrintAsync(string[] paths, Invocation run, TransferProgress progress)
    {
        var end = ExitCode.Ok;
        foreach (var path in paths)
        {
            try
            {
                var fingerprint = await FingerprintAsync(path, run, progress);
                var line = new FingerprintLine(path, fingerprint.ToString());
                run.Console.Result($"{fingerprint} {path}", line);
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                end = end.And(run.Console.Failure(fault));
            }
        }

        return end;
    }

    private static async Task<Fingerprint> FingerprintAsync(string path, Invocation run, TransferProgress progress)
    {
        if (path == StandardInput)
        {
            await using var input = run.Streams.OpenInput();
            using var counter = progress.Start("standard input", 0);
            return await ContentFingerprint.OfStreamAsync(input, counter, run.CancellationToken);
        }

        using var bar = progress.Start(Path.GetFileName(path), LocalContent.LengthOf(path));
        return await LocalContent.FingerprintAsync(path, bar, run.CancellationToken);
    }
}
