using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer orphans list|discard</c></summary>
internal static class OrphansCommand
{
    public static Command Create() =>
        new CliCommand("orphans", "Shows and deletes contents of a node that no file refers to")
        {
            Notes =
            [
                "A node deletes a few of them by itself after a grace period. Many at once, or contents of files that its catalog has never",
                "heard of, are the sign of a wrong or an older catalog: it keeps them until a person decides.",
            ],
            Examples = ["filetransfer orphans list", "filetransfer orphans discard --yes --url http://node-b:7070"],
        }.Taking(CreateList(), CreateDiscard());

    private static CliCommand CreateList() =>
        new CliCommand("list", "Lists them: since when, and to which files they belong as far as the node's folder remembers")
        {
            Examples = ["filetransfer orphans list --url http://node-b:7070"],
        }.AsksOneNode(ListAsync);

    private static CliCommand CreateDiscard()
    {
        var yes = CliOption.Flag("--yes", "Do it; without this, the command only says what would go.");
        return new CliCommand("discard", "Deletes them, and lets the node collect orphans by itself again")
        {
            Notes = ["What is deleted cannot be recovered. 'filetransfer reconcile' brings the files back instead."],
            Examples = ["filetransfer orphans discard", "filetransfer orphans discard --yes"],
        }
            .Taking(yes)
            .AsksOneNode(async run =>
            {
                if (!run.Get(yes))
                {
                    await ListAsync(run);
                    run.Console.Notice("Nothing was deleted. To delete them: filetransfer orphans discard --yes");
                    return ExitCode.Ok;
                }

                var discarded = await run.AskAsync(node => node.AskAsync<OrphansDiscarded>(HttpMethod.Delete, Routes.Orphans));
                return run.Show($"{discarded.Count} contents deleted, {discarded.Bytes} bytes; collection goes on", discarded);
            });
    }

    private static async Task<ExitCode> ListAsync(Invocation run)
    {
        var orphans = await run.AskAsync(node => node.GetAsync<OrphansResource>(Routes.Orphans));
        return run.Show(LinesOf(orphans), orphans);
    }

    private static IEnumerable<string> LinesOf(OrphansResource orphans)
    {
        yield return $"{orphans.Count} contents that no file refers to, {orphans.Bytes} bytes";
        if (orphans.HeldBecause is { } held)
        {
            yield return $"nothing has been collected since {orphans.HeldSince:u}: {held}";
        }

        if (orphans.WaitsBecause is { } waits)
        {
            yield return waits;
        }

        foreach (var orphan in orphans.Orphans)
        {
            var files = orphan.Files.Select(file => PrintedText.Line(file.Location ?? file.Key));
            var of = orphan.Files.Count == 0 ? "of no file that the folder remembers" : $"of {string.Join(", ", files)}";
            var unknown = orphan.Unexplained ? ", which the catalog has never heard of" : "";
            yield return $"{orphan.Fingerprint} {orphan.Size} bytes, since {orphan.FirstSeen:u}, {of}{unknown}";
        }
    }
}
