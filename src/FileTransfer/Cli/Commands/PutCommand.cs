using System.CommandLine;
using System.CommandLine.Parsing;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer put PATH…</c></summary>
internal static class PutCommand
{
    private const int MaxParallel = 64;

    public static Command Create()
    {
        var paths = CliOption.Several("PATH", ArgumentArity.OneOrMore, "Files, or folders with --recursive.");
        var location = CliOption.Text("--location", "TEXT", "The location of the one file.");
        var prefix = CliOption.Text(
            "--prefix",
            "TEXT",
            "Put before each location, which is the file's name, or its path in the folder."
        );
        var recursive = CliOption.Flag("--recursive", "Put folders with everything in them; see the notes.", "-r");
        var skipEmpty = CliOption.Flag(
            "--skip-empty",
            $"Leave empty files out and still exit with 0; without this, put exits with {(int)ExitCode.LeftOut}."
        );
        var atOnce = $"How many files, or requests with many small ones, at once, 1 to {MaxParallel}.";
        var parallel = CliOption.Number("--parallel", MaxParallel, atOnce);
        parallel.DefaultValueFactory = _ => 4;
        var identity = new IdentityOptions();
        return new CliCommand("put", "Registers files and sends their contents to the leader")
        {
            Notes =
            [
                "Prints a line '0xKEY PATH' for each file that the leader has stored, in the order of completion.",
                "A folder keeps its name: 'put -r photos' puts photos/a.jpg, and 'put -r photos/' puts a.jpg (as with rsync).",
                "Empty files cannot be stored: they have no chunk that proves them. Those in a folder are left out and counted.",
                "Of several files, those of up to 64 KiB are sent many in a request, where the leader knows how.",
                "Run again after an interruption, put resumes a large file where it stopped, and says so.",
                "A follower names its leader, and put continues there. With several --url, put survives a change of the leader.",
            ],
            Examples =
            [
                "filetransfer put photo.jpg --owner 0x11… --bucket 0x22… --location photos/photo.jpg",
                "filetransfer put --recursive photos --url http://node-a:7070 --url http://node-b:7070",
                "filetransfer put --recursive /srv/holiday/ --prefix photos/2030/",
            ],
            Ends = [ExitCode.LeftOut, ExitCode.NotProven, ExitCode.Interrupted],
        }
            .Taking([paths, .. identity.All, location, prefix, recursive, skipEmpty, parallel])
            .Refusing(Fault)
            .AsksNodes(async run =>
            {
                var (owner, bucket) = (identity.Owner(run), identity.Bucket(run));
                var (put, batches) = (new FilePut(run, owner, bucket), new BatchPut(run, owner, bucket));
                return await run.Console.WithProgressAsync(progress =>
                    new PutRun(run, put, batches, progress).PutAllAsync(
                        () => PutItems.Of(run.Get(paths), run.Get(location), run.Get(prefix) ?? "", run.Get(recursive)),
                        run.Get(parallel),
                        run.Get(skipEmpty)
                    )
                );
            });

        string? Fault(CommandResult result) =>
            result.GetResult(location) is not null
            && (
                result.GetResult(prefix) is not null
                || result.GetResult(paths) is not { Tokens: [var one] }
                || Directory.Exists(one.Value)
            )
                ? "--location is for one file, without --prefix. Use --prefix for several files or a folder."
                : null;
    }
}
