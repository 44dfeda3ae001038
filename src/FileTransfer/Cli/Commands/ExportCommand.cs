using System.CommandLine;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Export;
using FileTransfer.Cli.Output;
using FileTransfer.Exports;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer export FOLDER [KEY…]</c></summary>
internal static class ExportCommand
{
    private const string DatabaseVariable = "ConnectionStrings__Postgres";

    public static Command Create()
    {
        var folder = new Argument<string>("FOLDER") { Description = "The folder of the share; created when missing." };
        var keys = IdentityOptions.Keys(ArgumentArity.ZeroOrMore);
        var bucket = IdentityOptions.HexOption("--bucket", "Only files of this bucket.");
        var location = CliOption.Text("--location", "TEXT", "Only files whose location begins with this text.");
        var verify = CliOption.Flag("--verify", "Also verify what is in the folder already, by reading all of it.");
        var prune = CliOption.Flag("--prune", "Take out of the folder what the cluster has removed.");
        var hold = Duration.Option("--hold", "Keep what was removed for so long after an export found it removed; with --prune.");
        var floor = CliOption.Text(
            "--leave-free",
            "SIZE",
            "Leave so much of the folder's disk free (default: the larger of 1 GiB and 2 %)."
        );
        CliOption.Check(floor, text => ByteSize.TryParse(text, out _), ByteSize.Form);
        var link = CliOption.Flag(
            "--link",
            "Give the node's own content files a name in the folder, where both are on one disk; with --data-directory. Whoever edits "
                + "the folder then damages the node's contents."
        );
        var data = CliOption.Text(
            "--data-directory",
            "DIR",
            "Take the files from the data folder of a node that does not run, instead of asking one."
        );
        var database = CliOption.Text(
            "--database",
            "CONNECTION",
            $"That node's database (environment: {DatabaseVariable}); without it, the private one in its data folder."
        );
        return new CliCommand("export", "Writes stored files to a folder that any web server can share with nodes")
        {
            Notes =
            [
                "Each file becomes three: its content, named by the 64 hex digits of its key, and the same with .hashes and .json. Each is",
                "verified before it gets its name. What is there already is kept; an interrupted export resumes. At its end it writes index.ndjson,",
                "which lists all files of the folder, for 'filetransfer adopt'. --prune never takes out what the cluster does not know.",
                "With --data-directory contents are shared by reflink where the disk can (Btrfs, XFS), and copied elsewhere.",
                "Nodes that list the server in FileTransfer:Sources, with Kind Share, download from it and verify what they get.",
            ],
            Examples =
            [
                "filetransfer export /srv/share",
                "filetransfer export /srv/share --bucket 0x22… --location photos/ --url http://node-a:7070",
                "filetransfer export /srv/share --prune --hold 24h",
                "filetransfer export /srv/share --data-directory /var/lib/filetransfer",
            ],
            Ends = [ExitCode.NotComplete, ExitCode.NotFound, ExitCode.NotProven, ExitCode.Interrupted],
        }
            .Taking(folder, keys, bucket, location, verify, prune, hold, floor, link, data, database)
            .Refusing(result =>
                result.GetResult(hold) is not null && !result.GetValue(prune) ? "--hold is about --prune: give both." : null
            )
            .Refusing(result =>
                result.GetValue(link) && result.GetResult(data) is null
                    ? "--link is about a node's own files: give --data-directory, too."
                    : null
            )
            .Refusing(result =>
                result.GetResult(keys) is { Tokens.Count: > 0 }
                && (result.GetResult(bucket) is not null || result.GetResult(location) is not null)
                    ? "Files are named by their keys or by --bucket and --location, not by both."
                    : null
            )
            .AsksNodes(async run =>
            {
                var path = run.Get(folder);
                var left = run.Get(floor) is { } text && ByteSize.TryParse(text, out var bytes) ? bytes : (long?)null;
                using var share =
                    LocalContent.Try(path, () => ExportFolder.TryOpen(path, new FreeSpaceFloor(left)))
                    ?? throw new CliException(
                        ExitCode.Failed,
                        $"Another export is writing to {path}. Wait until it ends, or give another folder."
                    );
                await using var stopped = run.Get(data) is { } directory
                    ? await FolderOrigin.OpenAsync(
                        directory,
                        run.Get(database) ?? run.Streams.Setting(DatabaseVariable),
                        run.Get(link),
                        run.CancellationToken
                    )
                    : null;
                IExportOrigin origin = stopped is null ? new NodeOrigin(run.Nodes) : stopped;
                var named = run.Get(keys);
                var order = new ExportOrder(
                    new ExportFilter(run.Given(bucket), run.Get(location)),
                    named is { Length: > 0 } ? named : null,
                    run.Get(verify),
                    run.Get(prune) ? run.Given(hold) ?? TimeSpan.Zero : null
                );
                return await run.Console.WithProgressAsync(progress =>
                    new ToldExport(run.Console, progress).RunAsync(origin, share, order, run.Time, run.CancellationToken)
                );
            });
    }
}
