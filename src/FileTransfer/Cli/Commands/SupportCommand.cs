using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Cli.Support;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer support</c></summary>
internal static class SupportCommand
{
    public static Command Create()
    {
        var output = CliOption.Text("--output", "FILE", "The archive to write (default: filetransfer-support-TIME.tar.gz here).");
        return new CliCommand("support", "Packs what a report of a bug needs, without secrets")
        {
            Notes =
            [
                "In it: what doctor says (without a probe), settings, nodes, health, workers, queue, sources and metrics of the node, the end of the log",
                "where one goes to a file, and versions. Tokens, passwords and secrets are masked; names and addresses are not: look before you pass it on.",
            ],
            Examples = ["filetransfer support", "filetransfer support --output node-a.tar.gz --url http://node-a:7070"],
        }
            .Taking(output)
            .AsksOnce(async run =>
            {
                var path = run.Get(output) ?? $"filetransfer-support-{run.Time.GetUtcNow():yyyyMMdd-HHmmss}.tar.gz";
                var bundle = new SupportBundle(run.Nodes, run.Time, ConnectionOptions.TokenOf(run), run.CancellationToken);
                try
                {
                    var parts = await bundle.WriteAsync(path);
                    return run.Show($"{path}: {string.Join(", ", parts)}", new SupportLine(path, parts));
                }
                catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
                {
                    throw LocalContent.Failure(path, fault);
                }
            });
    }
}
