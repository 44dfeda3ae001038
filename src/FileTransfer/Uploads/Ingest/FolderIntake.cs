namespace FileTransfer.Uploads.Ingest;

/// <summary>Takes what is complete of the names in a watched folder: each once, in their order, whatever becomes of those beside it.</summary>
/// <remarks>No more than a group of files is in memory.</remarks>
internal sealed partial class FolderIntake(
    IngestFolder folder,
    FolderReader reader,
    IngestTable table,
    IngestPublisher publisher,
    QuietFiles quiet,
    TimeProvider time,
    ILogger logger
)
{
    /// <summary>How a reason begins that says nothing against the file.</summary>
    private const string Unreadable = "it cannot be read";

    public QuietFiles Quiet => quiet;

    /// <summary>How long files have been read and published, in all.</summary>
    public TimeSpan Taking { get; private set; }

    /// <summary>What the system says of the folder; null while it says nothing.</summary>
    public FolderHints? Hints { get; set; }

    /// <summary>Takes of these names, which are in their order, what is complete and was not taken yet.</summary>
    /// <param name="renamed">
    /// The names that were known to be renamed into place before these were found: what is heard of while they are taken would let a later
    /// one come before an earlier one.
    /// </param>
    public async Task TakeAsync(List<string> names, IReadOnlySet<string> renamed, CancellationToken cancellationToken)
    {
        if (names.Count == 0)
        {
            return;
        }

        var known = (await table.ReadAsync(folder.Name, names, cancellationToken)).ToDictionary(row => row.Name);
        using var group = new FolderGroup();
        foreach (var name in names)
        {
            var row = known.GetValueOrDefault(name);
            if (
                FolderEntry.Find(folder.Folder, name) is { } entry
                && !(row is { IsIngested: true, IsDeleted: false } && row.Seen == entry.Stamp)
            )
            {
                await LookAsync(entry, row, renamed.Contains(name), group, cancellationToken);
            }
            else
            {
                Forget(name);
            }
        }

        await PublishAsync(group, cancellationToken);
    }

    private async Task LookAsync(
        FolderEntry entry,
        IngestedName? row,
        bool isRenamed,
        FolderGroup group,
        CancellationToken cancellationToken
    )
    {
        if (entry.Refusal is { } refusal)
        {
            await RefuseAsync(entry, row, refusal, cancellationToken);
            return;
        }

        // One that could not be read was complete then, and is for as long as it does not change.
        var wasComplete = row?.Reason?.StartsWith(Unreadable, StringComparison.Ordinal) == true && row.Seen == entry.Stamp;
        if (!wasComplete && !isRenamed && !quiet.IsQuiet(entry))
        {
            return;
        }

        FolderFile? file;
        var began = time.GetTimestamp();
        try
        {
            file = await reader.ReadAsync(folder, entry, cancellationToken);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or (IOException and not NoRoomException))
        {
            await RefuseAsync(entry, row, $"{Unreadable}: {e.Message}", cancellationToken);
            return;
        }
        finally
        {
            Taking += time.GetElapsedTime(began);
        }

        if (file is null)
        {
            Forget(entry.Name);
            quiet.IsQuiet(entry);
        }
        else if (row is { IsIngested: true, Size: > 0 })
        {
            using (file)
            {
                await CompareAsync(file, row, cancellationToken);
            }
        }
        else
        {
            group.Add(file);
            if (group.IsFull || file.Large is not null)
            {
                await PublishAsync(group, cancellationToken);
            }
        }
    }

    /// <summary>A name that was ingested before is there again, or has changed: the same bytes say nothing new, and others are not taken.</summary>
    private async Task CompareAsync(FolderFile file, IngestedName row, CancellationToken cancellationToken)
    {
        if (file.Upload?.Metadata.Fingerprint == row.Fingerprint)
        {
            await table.ConfirmAsync(folder.Name, file.Name, file.Entry.Stamp, cancellationToken);
            Forget(file.Name);
        }
        else
        {
            var reason =
                $"it has other bytes than when it was ingested ({row.Size} bytes then, {file.Entry.Size} now); they are not taken. Give them another name";
            await RefuseAsync(file.Entry, row, reason, cancellationToken);
        }
    }

    private async Task RefuseAsync(FolderEntry entry, IngestedName? row, string reason, CancellationToken cancellationToken)
    {
        Forget(entry.Name);
        if (row?.Reason != reason || row.Seen != entry.Stamp)
        {
            Log.Refused(logger, entry.Name, folder.Name, reason);
            await table.RefuseAsync(folder.Name, entry.Name, entry.Stamp, reason, cancellationToken);
        }
    }

    private async Task PublishAsync(FolderGroup group, CancellationToken cancellationToken)
    {
        if (group.Files.Count == 0)
        {
            return;
        }

        var began = time.GetTimestamp();
        await table.BeginAsync(folder.Name, group.Files, cancellationToken);
        var contents = group.Files.Where(file => file.Upload is not null).ToList();
        var refused = await publisher.PublishAsync(contents, cancellationToken);
        foreach (var file in contents.Where(file => refused.ContainsKey(file.Upload!.Key)))
        {
            await RefuseAsync(file.Entry, null, refused[file.Upload!.Key], cancellationToken);
        }

        var taken = group.Files.Where(file => file.Upload is null || !refused.ContainsKey(file.Upload.Key)).ToList();
        foreach (var gap in await table.EndAsync(folder.Name, [.. taken.Select(file => file.Name)], cancellationToken))
        {
            Log.Gap(logger, gap, folder.Name);
        }

        taken.ForEach(file => Forget(file.Name));
        if (taken.Count > 0)
        {
            Log.Ingested(logger, taken.Count, folder.Name, taken[0].Name, taken[^1].Name);
        }

        group.Clear();
        Taking += time.GetElapsedTime(began);
    }

    private void Forget(string name)
    {
        quiet.Forget(name);
        Hints?.Forget(name);
    }

    private static partial class Log
    {
        [LoggerMessage(1510, LogLevel.Information, "Ingested {Count} files of the watched folder {Ingest}: {First} to {Last}")]
        public static partial void Ingested(ILogger logger, int count, string ingest, string first, string last);

        [LoggerMessage(1511, LogLevel.Warning, "{Name} in the watched folder {Ingest} is not ingested: {Reason}")]
        public static partial void Refused(ILogger logger, string name, string ingest, string reason);

        [LoggerMessage(
            1512,
            LogLevel.Warning,
            "The number of {Name} in the watched folder {Ingest} does not follow the one before"
        )]
        public static partial void Gap(ILogger logger, string name, string ingest);
    }
}
