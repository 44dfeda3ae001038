using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer ingest status</c></summary>
internal static class IngestCommand
{
    private const int PageSize = 1000;

    public static Command Create() =>
        new CliCommand("ingest", "Shows what became of the files in watched folders")
        {
            Examples = ["filetransfer ingest status"],
        }.Taking(CreateStatus());

    private static CliCommand CreateStatus() =>
        new CliCommand("status", "Shows each watched folder: its numbered series, and each name with who has acknowledged it")
        {
            Notes =
            [
                "Exits with 3 while a folder cannot be taken, a name in it is not taken, or a number of a series is missing: MISSING_DELAYED,",
                "and MISSING_LOST a minute after a later number came. What keeps a folder from being taken is told by the node that watches it.",
            ],
            Examples = ["filetransfer ingest status", "filetransfer ingest status --json | jq '.folders[].series'"],
            Ends = [ExitCode.NotComplete],
        }.AsksNodes(async run =>
        {
            var status = await run.AskAsync(node => node.GetAsync<IngestResource>($"{Routes.Ingest}?limit={PageSize}"));
            var folders = new List<IngestFolderResource>();
            foreach (var first in status.Folders)
            {
                var files = first.Files.ToList();
                for (var next = first.Next; next is not null; )
                {
                    var path =
                        $"{Routes.Ingest}?limit={PageSize}&folder={Uri.EscapeDataString(first.Name)}&after={Uri.EscapeDataString(next)}";
                    var page = (await run.AskAsync(node => node.GetAsync<IngestResource>(path))).Folders[0];
                    files.AddRange(page.Files);
                    next = page.Next;
                }

                folders.Add(first with { Files = files, Next = null });
            }

            var whole = status with { Folders = folders };
            run.Show(folders.Count == 0 ? ["no folder is watched"] : folders.SelectMany(LinesOf), whole);
            return folders.All(folder => folder is { Fault: null, Refused: 0 } && folder.Series.All(IsFound))
                ? ExitCode.Ok
                : ExitCode.NotComplete;
        });

    private static bool IsFound(IngestRunResource run) => run.State == IngestRunResource.Found;

    private static IEnumerable<string> LinesOf(IngestFolderResource folder) =>
        [
            $"{folder.Name}\t{folder.Folder ?? "watched by another node"}\t{folder.Ingested} ingested\t{folder.Refused} not taken"
                + (folder.Fault is { } fault ? $"\t{fault}" : ""),
            .. folder.Series.Select(run => $"{folder.Name}\t{PrintedText.Line(run.Series)}\t{run.From} to {run.To}\t{run.State}"),
            .. folder.Files.Select(file => $"{folder.Name}\t{PrintedText.Line(file.Name)}\t{StateOf(file)}"),
        ];

    private static string StateOf(IngestedFileResource file) =>
        (file.IngestedAt is null ? "not ingested" : $"ingested\t{file.Size} bytes\t{file.Key ?? "no file"}")
        + (file.AcknowledgedBy.Count > 0 ? $"\tat {string.Join(", ", file.AcknowledgedBy)}" : "")
        + (file.DeletedAt is null ? "" : "\tdeleted here")
        + (file.Reason is { } reason ? $"\t{reason}" : "");
}
