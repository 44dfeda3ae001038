namespace FileTransfer.Uploads.Ingest;

/// <summary>Watches one folder: what is complete in it becomes files of its bucket, each name once, in the order of the names.</summary>
/// <remarks>
/// A listing is the truth, and comes by itself; hints are names to look at sooner. A look takes what is complete at that time: a file that
/// is still written, or cannot be taken, holds up no other. No more than some pages of names and a group of files is in memory.
/// </remarks>
internal sealed partial class WatchedFolder(
    IngestFolder folder,
    FolderReader reader,
    IngestTable table,
    IngestPublisher publisher,
    TimeProvider time,
    ILogger logger
)
{
    private const int PageSize = 4096;

    /// <summary>A listing that took long comes again after so many times as long: a full folder does not keep a core busy.</summary>
    private const int Rest = 10;

    private static readonly TimeSpan _period = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    /// <summary>Hints come in swarms.</summary>
    private static readonly TimeSpan _swarm = TimeSpan.FromMilliseconds(20);

    private readonly AsyncAutoResetEvent _wake = new();
    private readonly QuietFiles _quiet = new(folder.QuietFor, 4 * PageSize, time);
    private FolderHints? _hints;
    private TaskCompletionSource? _finishing;
    private volatile bool _isWatching;

    public IngestFolder Options => folder;

    /// <summary>What keeps the folder from being taken, in words; null while nothing does.</summary>
    public string? Fault { get; private set; }

    /// <summary>When it was listed to its end; null before.</summary>
    public DateTimeOffset? ListedAt { get; private set; }

    /// <summary>Takes what is complete by now, or becomes so without another change, and ends watching.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        if (_isWatching)
        {
            _finishing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _wake.Set();
            await _finishing.Task.WaitAsync(cancellationToken);
        }
    }

    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        _isWatching = true;
        try
        {
            while (!await WatchOnceAsync(isLast: _finishing is not null, cancellationToken)) { }

            _finishing!.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }
        finally
        {
            _isWatching = false;
            _hints?.Dispose();
            _hints = null;
        }
    }

    /// <summary>Lists the folder, and hears what happens in it until it is to be listed again.</summary>
    /// <returns>True when all of it has been taken that will be.</returns>
    private async Task<bool> WatchOnceAsync(bool isLast, CancellationToken cancellationToken)
    {
        try
        {
            var began = time.GetTimestamp();
            await ListAsync(cancellationToken);
            Fault = null;
            var rest = time.GetElapsedTime(began) * Rest;
            await HearAsync(
                isLast ? folder.QuietFor + _pause
                    : rest > _period ? rest
                    : _period,
                () => isLast ? _quiet.IsEmpty : _finishing is not null,
                cancellationToken
            );
            return isLast;
        }
        catch (Exception e) when (e is PublishingWaitsException or IOException or UnauthorizedAccessException)
        {
            if (Fault != e.Message)
            {
                Log.Fault(logger, folder.Name, folder.Folder, e.Message);
                Fault = e.Message;
            }

            await Task.Delay(_pause, time, cancellationToken);
            return false;
        }
    }

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        if (_hints is not { IsAlive: true })
        {
            _hints?.Dispose();
            _hints = FolderHints.TryOpen(folder.Folder, _wake.Set);
        }

        await table.SettleAsync(folder.Name, cancellationToken);
        for (var after = ""; ; )
        {
            var names = FolderEntry.NamesIn(folder.Folder, folder.Pattern, after, PageSize);
            var isEnd = names.Count < PageSize;
            await LookAsync(names, cancellationToken);
            await table.ForgetGoneAsync(folder.Name, after, isEnd ? null : names[^1], names, cancellationToken);
            if (isEnd)
            {
                break;
            }

            after = names[^1];
        }

        if (folder.DeleteWhenAcknowledged)
        {
            await DeleteAsync(cancellationToken);
        }

        ListedAt = time.GetUtcNow();
    }

    /// <summary>For a time, looks at what hints name and at what has become quiet.</summary>
    private async Task HearAsync(TimeSpan atMost, Func<bool> isOver, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (!isOver())
        {
            var left = atMost - time.GetElapsedTime(since);
            if (left <= TimeSpan.Zero)
            {
                return;
            }

            var quiet = _quiet.Next;
            if (await _wake.WaitAsync(quiet < left ? quiet : left, time, cancellationToken))
            {
                await Task.Delay(_swarm, time, cancellationToken);
            }

            IReadOnlyCollection<string>? named = _hints is null ? [] : _hints.Take();
            if (named is null || _hints is { IsAlive: false })
            {
                return;
            }

            var names = named.Where(name => FolderEntry.Matches(folder.Pattern, name)).Union(_quiet.Due());
            await LookAsync([.. names.Order(StringComparer.Ordinal)], cancellationToken);
        }
    }

    /// <summary>Takes of these names, which are in their order, what is complete and was not taken yet.</summary>
    private async Task LookAsync(List<string> names, CancellationToken cancellationToken)
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
                await LookAsync(entry, row, group, cancellationToken);
            }
            else
            {
                Forget(name);
            }
        }

        await PublishAsync(group, cancellationToken);
    }

    private async Task LookAsync(FolderEntry entry, IngestedName? row, FolderGroup group, CancellationToken cancellationToken)
    {
        if (entry.Refusal is { } refusal)
        {
            await RefuseAsync(entry, row, refusal, cancellationToken);
            return;
        }

        if (_hints?.IsRenamed(entry.Name) != true && !_quiet.IsQuiet(entry))
        {
            return;
        }

        FolderFile? file;
        try
        {
            file = await reader.ReadAsync(folder, entry, cancellationToken);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or (IOException and not NoRoomException))
        {
            await RefuseAsync(entry, row, $"it cannot be read: {e.Message}", cancellationToken);
            return;
        }

        if (file is null)
        {
            Forget(entry.Name);
            _quiet.IsQuiet(entry);
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
    }

    private async Task DeleteAsync(CancellationToken cancellationToken)
    {
        foreach (var (name, seen) in await table.AcknowledgedAsync(folder.Name, PageSize, cancellationToken))
        {
            if (FolderEntry.Find(folder.Folder, name) is { } entry)
            {
                if (entry.Stamp != seen)
                {
                    continue;
                }

                File.Delete(entry.Path);
            }

            await table.DeletedAsync(folder.Name, name, cancellationToken);
        }
    }

    private void Forget(string name)
    {
        _quiet.Forget(name);
        _hints?.Forget(name);
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

        [LoggerMessage(1513, LogLevel.Warning, "The watched folder {Ingest} at {Folder} cannot be taken now; retrying: {Reason}")]
        public static partial void Fault(ILogger logger, string ingest, string folder, string reason);
    }
}
