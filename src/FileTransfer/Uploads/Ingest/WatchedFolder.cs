namespace FileTransfer.Uploads.Ingest;

/// <summary>Watches one folder: what is complete in it becomes files of its bucket, each name once, in the order of the names.</summary>
/// <remarks>
/// A listing is the truth, and comes by itself; hints are names to look at sooner. A look takes what is complete at that time: a file that
/// is still written, or cannot be taken, holds up no other. No more than some pages of names is in memory.
/// </remarks>
internal sealed partial class WatchedFolder(
    IngestFolder folder,
    FolderIntake intake,
    IngestTable table,
    Worker worker,
    TimeProvider time,
    ILogger logger
)
{
    public const int PageSize = 4096;

    /// <summary>A listing comes again after so many times as long as it took, besides what was taken: a full folder does not keep a core busy.</summary>
    private const int Rest = 10;

    private static readonly TimeSpan _period = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    /// <summary>Hints come in swarms.</summary>
    private static readonly TimeSpan _swarm = TimeSpan.FromMilliseconds(20);

    private readonly AsyncAutoResetEvent _wake = new();
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
            worker.Resume();
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
            intake.Hints?.Dispose();
            intake.Hints = null;
        }
    }

    /// <summary>Lists the folder, and hears what happens in it until it is to be listed again.</summary>
    /// <returns>True when all of it has been taken that will be.</returns>
    private async Task<bool> WatchOnceAsync(bool isLast, CancellationToken cancellationToken)
    {
        try
        {
            var (began, taking) = (time.GetTimestamp(), intake.Taking);
            await worker.RunAsync(() => ListAsync(cancellationToken), cancellationToken);
            Fault = null;
            var rest = (time.GetElapsedTime(began) - (intake.Taking - taking)) * Rest;
            await HearAsync(
                isLast ? folder.QuietFor + _pause
                    : rest > _period ? rest
                    : _period,
                () => isLast ? intake.Quiet.IsEmpty : _finishing is not null || intake.Quiet.HasRoomForOthers,
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
        if (intake.Hints is not { IsAlive: true })
        {
            intake.Hints?.Dispose();
            intake.Hints = FolderHints.TryOpen(folder.Folder, _wake.Set);
        }

        intake.Quiet.Begin();
        await table.SettleAsync(folder.Name, cancellationToken);
        var renamed = intake.Hints?.Renamed() ?? FolderHints.None;
        for (var after = ""; ; )
        {
            var names = FolderEntry.NamesIn(folder.Folder, folder.Pattern, after, PageSize);
            var isEnd = names.Count < PageSize;
            await intake.TakeAsync(names, renamed, cancellationToken);
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

            var quiet = intake.Quiet.Next;
            if (await _wake.WaitAsync(quiet < left ? quiet : left, time, cancellationToken))
            {
                await Task.Delay(_swarm, time, cancellationToken);
            }

            var (named, renamed) = intake.Hints?.Take() ?? ([], FolderHints.None);
            if (named is null || intake.Hints is { IsAlive: false })
            {
                if (named is null)
                {
                    Log.Untold(logger, folder.Name, folder.Folder, folder.QuietFor);
                }

                return;
            }

            var names = named.Where(name => FolderEntry.Matches(folder.Pattern, name)).Union(intake.Quiet.Due());
            await intake.TakeAsync([.. names.Order(StringComparer.Ordinal)], renamed, cancellationToken);
        }
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

    private static partial class Log
    {
        [LoggerMessage(1513, LogLevel.Warning, "The watched folder {Ingest} at {Folder} cannot be taken now; retrying: {Reason}")]
        public static partial void Fault(ILogger logger, string ingest, string folder, string reason);

        [LoggerMessage(
            1514,
            LogLevel.Warning,
            "More happened in the watched folder {Ingest} at {Folder} than the system told; it is listed, and what was renamed in unheard is taken when it was quiet for {QuietFor}. Raise fs.inotify.max_queued_events if this comes often"
        )]
        public static partial void Untold(ILogger logger, string ingest, string folder, TimeSpan quietFor);
    }
}
