namespace FileTransfer.Chunks;

/// <summary>Whether there is room for downloads. Asked before each claim; says in words why not.</summary>
public sealed partial class DiskPressure(ChunkStore store, TimeProvider time, ILogger<DiskPressure> logger)
{
    /// <summary>How long the queue rests after a write found the disk full although the floor was kept (a quota, say).</summary>
    private static readonly TimeSpan _rest = TimeSpan.FromSeconds(5);

    /// <summary>A file that was refused is asked for again before this is over, if it still waits.</summary>
    private static readonly TimeSpan _refusalLasts = TimeSpan.FromSeconds(15);

    private volatile Refusal? _refused;
    private long _restsUntil;
    private string? _full;

    /// <summary>Why no download starts now; null when they may.</summary>
    public string? Reason { get; private set; }

    /// <summary>Since when <see cref="Reason"/> holds downloads up; null while it does not.</summary>
    public DateTimeOffset? Since { get; private set; }

    /// <summary>Why a file waits although smaller ones may come; null when none does.</summary>
    public string? Shortage => _refused is { } refusal && time.GetElapsedTime(refusal.At) < _refusalLasts ? refusal.Reason : null;

    /// <summary>Looks at the disk and updates <see cref="Reason"/>.</summary>
    public bool AllowsDownloads()
    {
        var space = store.FreeSpace();
        var reason =
            space.IsBelowFloor
                ? $"{space.BytesFree} bytes are free, and {space.FloorBytes} must stay free; make room on the disk of the data folder"
            : _full is not null && time.GetTimestamp() < Interlocked.Read(ref _restsUntil) ? _full
            : null;
        if (reason is null != Reason is null)
        {
            Since = reason is null ? null : time.GetUtcNow();
            if (reason is null)
            {
                Log.Resumed(logger);
            }
            else
            {
                Log.Paused(logger, reason);
            }
        }

        Reason = reason;
        return reason is null;
    }

    /// <summary>Why a content of this size cannot be taken now; null when it can.</summary>
    public string? RefusalOf(long size)
    {
        var space = store.FreeSpace();
        return !space.HasRoomFor(size)
            ? $"it needs {size} bytes, {space.BytesFree} are free, and {space.FloorBytes} must stay free"
            : null;
    }

    /// <summary>A download waits because there is no room for it.</summary>
    public void ReportRefused(string reason) => _refused = new Refusal(reason, time.GetTimestamp());

    /// <summary>A write found the disk full.</summary>
    public void ReportFull(DiskFullException full)
    {
        Interlocked.Exchange(ref _restsUntil, time.GetTimestamp() + (long)(_rest.TotalSeconds * time.TimestampFrequency));
        _full = full.Message;
    }

    private sealed record Refusal(string Reason, long At);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Downloads are paused: {Reason}")]
        public static partial void Paused(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Information, "There is room on the disk again; downloads go on")]
        public static partial void Resumed(ILogger logger);
    }
}
