using System.CommandLine;
using FileTransfer.Cli.Output;
using FileTransfer.Cli.Reconcile;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer reconcile</c></summary>
public static class ReconcileCommand
{
    private static readonly ExitCode[] _ends = [ExitCode.NotComplete, ExitCode.Refused, ExitCode.Unreachable];

    public static Command Create(CliStreams streams)
    {
        var connection = new ConnectionOptions(streams);
        var directories = DataDirectories();
        var without = new Option<string[]>("--without")
        {
            Description = "A node whose folder is gone for good; repeat it for several.",
            HelpName = "NODE",
        };
        var apply = new Option<bool>("--apply") { Description = "Do it; without this, nothing is changed." };
        var command = new CliCommand("reconcile", "Restores a lost or older catalog from what the nodes' data folders remember")
        {
            Notes =
            [
                "Name every node of the cluster: --url for those that run (after serve --adopt-catalog), --data-directory for the",
                "folders of those that do not. The catalog is the one of the nodes that run.",
                "One line per file: verdict, key, size, location, why. Of an Add and a removal of one file, the later one counts:",
                "  restore        the catalog does not know it, or only an older removal: it is registered and added again",
                "  remove         a folder has seen a removal that is later than the catalog's Add: it is removed again",
                "  stays-removed  a removal is the last that is known of it",
                "  lost           a folder remembers it, and no folder has its content",
                "  undecided      nothing shows which is later: reconcile restore KEY, or reconcile discard KEY",
                "No content is deleted. When every node is named, or written off with --without, --apply also lets the nodes",
                "collect again what nothing refers to. Exits with 0 when nothing is left to do, with 3 when something is.",
            ],
            Examples =
            [
                "filetransfer reconcile --url http://node-a:7070 --url http://node-b:7070",
                "filetransfer reconcile --url http://node-a:7070 --data-directory /mnt/node-b --without node-c --apply",
            ],
            Ends = _ends,
        };
        connection.AddTo(command);
        command.Add(directories);
        command.Add(without);
        command.Add(apply);
        command.Add(OutputOptions.Json());
        command.Add(CreateRestore(streams));
        command.Add(CreateDiscard(streams));
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                return await new ReconcileRun(nodes, console, parse.GetValue(without) ?? [], parse.GetValue(apply)).RunAsync(
                    parse.GetValue(directories) ?? [],
                    cancellationToken
                );
            }
        );
        return command;
    }

    private static CliCommand CreateRestore(CliStreams streams)
    {
        var connection = new ConnectionOptions(streams);
        var keys = IdentityOptions.Keys();
        var directories = DataDirectories();
        var command = new CliCommand("restore", "Registers and adds files that a data folder has, whatever else is known of them")
        {
            Examples = ["filetransfer reconcile restore 0x5f1c… --url http://node-a:7070 --url http://node-b:7070"],
            Ends = [ExitCode.NotFound, ExitCode.Refused, ExitCode.Unreachable],
        };
        command.Add(keys);
        connection.AddTo(command);
        command.Add(directories);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                return await new ReconcileChoice(nodes, console).RestoreAsync(
                    parse.GetRequiredValue(keys),
                    parse.GetValue(directories) ?? [],
                    cancellationToken
                );
            }
        );
        return command;
    }

    private static CliCommand CreateDiscard(CliStreams streams)
    {
        var connection = new ConnectionOptions(streams);
        var keys = IdentityOptions.Keys();
        var command = new CliCommand("discard", "Makes the folders of running nodes forget files that the catalog does not have")
        {
            Notes = ["Their contents become orphans: they are kept for FileTransfer:Store:OrphanGrace, and then collected."],
            Examples = ["filetransfer reconcile discard 0x5f1c… --url http://node-a:7070 --url http://node-b:7070"],
            Ends = [ExitCode.Refused, ExitCode.Unreachable],
        };
        command.Add(keys);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                return await new ReconcileChoice(nodes, console).DiscardAsync(parse.GetRequiredValue(keys), cancellationToken);
            }
        );
        return command;
    }

    private static Option<string[]> DataDirectories() =>
        new("--data-directory")
        {
            Description = "The data folder of a node that does not run; it is only read. Repeat it for several.",
            HelpName = "DIR",
        };
}
