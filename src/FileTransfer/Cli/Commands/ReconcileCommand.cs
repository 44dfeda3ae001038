using System.CommandLine;
using FileTransfer.Cli.Reconcile;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer reconcile</c></summary>
internal static class ReconcileCommand
{
    public static Command Create()
    {
        var directories = DataDirectories();
        var without = CliOption.Texts("--without", "NODE", "A node whose folder is gone for good; repeat it for several.");
        var apply = CliOption.Flag("--apply", "Do it; without this, nothing is changed.");
        return new CliCommand("reconcile", "Restores a lost or older catalog from what the nodes' data folders remember")
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
            Ends = [ExitCode.NotComplete],
        }
            .Taking(directories, without, apply, CreateRestore(), CreateDiscard())
            .AsksNodes(run =>
                new ReconcileRun(run.Nodes, run.Console, run.Get(without) ?? [], run.Get(apply)).RunAsync(
                    run.Get(directories) ?? [],
                    run.CancellationToken
                )
            );
    }

    private static CliCommand CreateRestore()
    {
        var keys = IdentityOptions.Keys();
        var directories = DataDirectories();
        return new CliCommand("restore", "Registers and adds files that a data folder has, whatever else is known of them")
        {
            Examples = ["filetransfer reconcile restore 0x5f1c… --url http://node-a:7070 --url http://node-b:7070"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(keys, directories)
            .AsksNodes(run =>
                new ReconcileChoice(run.Nodes, run.Console).RestoreAsync(
                    run.Get(keys),
                    run.Get(directories) ?? [],
                    run.CancellationToken
                )
            );
    }

    private static CliCommand CreateDiscard()
    {
        var keys = IdentityOptions.Keys();
        return new CliCommand("discard", "Makes the folders of running nodes forget files that the catalog does not have")
        {
            Notes = ["Their contents become orphans: they are kept for FileTransfer:Store:OrphanGrace, and then collected."],
            Examples = ["filetransfer reconcile discard 0x5f1c… --url http://node-a:7070 --url http://node-b:7070"],
        }
            .Taking(keys)
            .AsksNodes(run => new ReconcileChoice(run.Nodes, run.Console).DiscardAsync(run.Get(keys)));
    }

    private static Option<string[]> DataDirectories() =>
        new("--data-directory")
        {
            Description = "The data folder of a node that does not run; it is only read. Repeat it for several.",
            HelpName = "DIR",
        };
}
