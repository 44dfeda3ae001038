namespace FileTransfer.Chunks.Durability;

/// <summary>Whether the disk takes downloads: there is room, and writes succeed. Asked before each claim; says in words why not.</summary>
/// <remarks>
/// Trouble of this node's own disk is nobody's fault but its own: no download starts, none spends an attempt, and a small write is tried
/// every <see cref="_rest"/> until it succeeds.
/// </remarks>
public sealed partial class DiskPressure(ChunkStore store, TimeProvider time, ILogger<DiskPressure> logger)
{
    /// <summary>How long the queue rests after a write failed, before one is tried.</summary>
    private static readonly TimeSpan _rest = TimeSpan.FromSeconds(5);

    /// <summary>A file that was refused is asked for again before this is over, if it still waits.</summary>
    private static readonly TimeSpan _refusalLasts = TimeSpan.FromSeconds(15);

    /// <summary>The same for a file that something is in the way of, which is tried less often.</summary>
    private static readonly TimeSpan _hindranceLasts = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private volatile Refusal? _refused;
    private volatile Refusal? _hindered;
    private volatile Exception? _trouble;
    private long _restsUntil;

    /// <summary>Why no download starts now; null when they may.</summary>
    public string? Reason { get; private set; }

    /// <summary>Since when <see cref="Reason"/> holds downloads up; null while it does not.</summary>
    public DateTimeOffset? Since { get; private set; }

    /// <summary>Why a file waits although smaller ones may come; null when none does.</summary>
    public string? Shortage => _refused is { } refusal && time.GetElapsedTime(refusal.At) < _refusalLasts ? refusal.Reason : null;

    /// <summary>Why a file waits although others may come: something lies in the way of this one; null when none does.</summary>
    public string? Hindrance =>
        _hindered is { } refusal && time.GetElapsedTime(refusal.At) < _hindranceLasts ? refusal.Reason : null;

    /// <summary>Looks at the disk and updates <see cref="Reason"/>.</summary>
    public bool AllowsDownloads()
    {
        lock (_gate)
        {
            if (_trouble is not null && time.GetTimestamp() >= _restsUntil)
            {
                Note(store.TryWrite());
            }

            var reason = _trouble is { } trouble ? DiskFault.Describe(trouble) : ReasonOfSpace();
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
    }

    private string? ReasonOfSpace()
    {
        try
        {
            var space = store.FreeSpace();
            return space.IsBelowFloor
                ? $"{space.BytesFree} bytes are free, and {space.FloorBytes} must stay free; make room on the disk of the data folder"
                : null;
        }
        catch (Exception fault) when (DiskFault.IsOfDisk(fault))
        {
            Note(fault);
            return DiskFault.Describe(fault);
        }
    }

    /// <summary>Why a content of this size cannot be taken now; null when it can.</summary>
    /// <exception cref="IOException">The disk cannot even be asked.</exception>
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
        lock (_gate)
        {
            Note(full);
        }
    }

    /// <summary>A write failed of this node's own disk. Where others succeed, something is in the way of that file alone.</summary>
    /// <returns>Whether the whole disk is in trouble, so that no download starts.</returns>
    public bool ReportTrouble(Exception fault)
    {
        lock (_gate)
        {
            // What others report in the same moment is the same trouble.
            if (_trouble is null || time.GetTimestamp() >= _restsUntil)
            {
                Note(store.TryWrite());
            }

            if (_trouble is null)
            {
                _hindered = new Refusal(DiskFault.Describe(fault), time.GetTimestamp());
            }

            return _trouble is not null;
        }
    }

    private void Note(Exception? trouble)
    {
        _trouble = trouble;
        _restsUntil = time.GetTimestamp() + (long)(_rest.TotalSeconds * time.TimestampFrequency);
    }

    private sealed record Refusal(string Reason, long At);

    private static partial class Log
    {
        [LoggerMessage(1110, LogLevel.Warning, "Downloads are paused: {Reason}")]
        public static partial void Paused(ILogger logger, string reason);

        [LoggerMessage(1111, LogLevel.Information, "The disk takes writes again; downloads resume")]
        public static partial void Resumed(ILogger logger);
    }
}
