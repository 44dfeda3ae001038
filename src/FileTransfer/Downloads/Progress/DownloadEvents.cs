using FileTransfer.Chunks;

namespace FileTransfer.Downloads.Progress;

/// <summary>A download under way in this process.</summary>
/// <param name="Source">The source that sent last, or connected; null where it was given up since.</param>
/// <param name="Ranges">The chunks that were proven in this process.</param>
public sealed record LiveDownload(
    FileKey File,
    string? Source,
    long BytesProven,
    long Size,
    DateTimeOffset Since,
    IReadOnlyList<ChunkRange> Ranges
);

/// <summary>Where this process publishes what happens to its downloads. Publishing never waits, whoever listens.</summary>
/// <remarks>
/// Of one file at least <see cref="ProvenPeriod"/> pass between two <see cref="DownloadEventKind.Proven"/> that are logged, with the ranges
/// of those between merged. Every other event of the file first logs what is still due.
/// </remarks>
public sealed class DownloadEvents : IDisposable
{
    public static readonly TimeSpan ProvenPeriod = TimeSpan.FromMilliseconds(200);

    /// <summary>More files than this are not under way at once; the oldest is forgotten, not its events.</summary>
    private const int MaxLive = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<FileKey, Live> _live = [];
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private bool _timerRuns;

    public DownloadEvents(DownloadEventLog log, TimeProvider time)
    {
        Log = log;
        _time = time;
        _timer = time.CreateTimer(_ => LogDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What was published, for readers.</summary>
    public DownloadEventLog Log { get; }

    /// <summary>Publishes <see cref="DownloadEventKind.Proven"/>, as often as it happens: costs no memory but for what is logged.</summary>
    public void Proven(FileKey file, string source, long bytesProven, long size, ChunkRange chunks)
    {
        lock (_gate)
        {
            var live = _live.TryGetValue(file, out var known) ? known : Begin(file, size, bytesProven);
            live.BytesProven = Math.Max(live.BytesProven, bytesProven);
            live.Source = source;
            live.IsDue = true;
            live.All.Add(chunks);
            live.Due.Add(chunks);
            if (live.LoggedAt is not { } last || _time.GetElapsedTime(last) >= ProvenPeriod)
            {
                LogProven(live);
            }
            else if (!_timerRuns)
            {
                _timerRuns = true;
                _timer.Change(ProvenPeriod, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Publishes anything else.</summary>
    public void Publish(DownloadEvent happened)
    {
        lock (_gate)
        {
            if (_live.TryGetValue(happened.File, out var live))
            {
                LogProven(live);
            }

            switch (happened.Kind)
            {
                case DownloadEventKind.Connected:
                    live ??= Begin(happened.File, happened.Size, happened.BytesProven);
                    live.Source = happened.Source;
                    break;
                case DownloadEventKind.SourceChanged:
                    if (live?.Source == happened.Source)
                    {
                        live?.Source = null;
                    }

                    break;
                case DownloadEventKind.FoundLocally:
                    break;
                default:
                    _live.Remove(happened.File);
                    break;
            }

            Log.Append(happened);
        }
    }

    /// <summary>The file's download is not under way here any more; what was proven since the last event is published.</summary>
    public void Forget(FileKey file)
    {
        lock (_gate)
        {
            if (_live.Remove(file, out var live))
            {
                LogProven(live);
            }
        }
    }

    /// <summary>How far the file's download is; null when none is under way in this process.</summary>
    public LiveDownload? Of(FileKey file)
    {
        lock (_gate)
        {
            return _live.TryGetValue(file, out var live) ? live.Snapshot() : null;
        }
    }

    /// <summary>Whether any download is under way in this process.</summary>
    public bool AreUnderWay
    {
        get
        {
            lock (_gate)
            {
                return _live.Count > 0;
            }
        }
    }

    /// <summary>Every download under way in this process, the oldest first.</summary>
    public IReadOnlyList<LiveDownload> UnderWay()
    {
        lock (_gate)
        {
            return [.. _live.Values.Select(live => live.Snapshot()).OrderBy(live => live.Since)];
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>The last bytes before a pause are published as well.</summary>
    private void LogDue()
    {
        lock (_gate)
        {
            _timerRuns = false;
            foreach (var live in _live.Values.Where(live => live.IsDue))
            {
                if (_time.GetElapsedTime(live.LoggedAt!.Value) >= ProvenPeriod)
                {
                    LogProven(live);
                }
                else
                {
                    _timerRuns = true;
                }
            }

            if (_timerRuns)
            {
                _timer.Change(ProvenPeriod, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void LogProven(Live live)
    {
        if (!live.IsDue)
        {
            return;
        }

        live.IsDue = false;
        live.LoggedAt = _time.GetTimestamp();
        var ranges = live.Due.Snapshot();
        live.Due.Clear();
        Log.Append(
            new DownloadEvent(live.File, DownloadEventKind.Proven, live.Source, live.BytesProven, live.Size, null, ranges)
        );
    }

    private Live Begin(FileKey file, long size, long bytesProven)
    {
        if (_live.Count == MaxLive)
        {
            _live.Remove(_live.Values.MinBy(live => live.Since)!.File);
        }

        var begun = new Live(file, size, _time.GetUtcNow()) { BytesProven = bytesProven };
        _live.Add(file, begun);
        return begun;
    }

    private sealed class Live(FileKey file, long size, DateTimeOffset since)
    {
        public FileKey File => file;

        public long Size => size;

        public DateTimeOffset Since => since;

        public ProvenRanges All { get; } = new();

        /// <summary>Proven and not logged yet.</summary>
        public ProvenRanges Due { get; } = new();

        public string? Source { get; set; }

        public long BytesProven { get; set; }

        public bool IsDue { get; set; }

        public long? LoggedAt { get; set; }

        public LiveDownload Snapshot() => new(file, Source, BytesProven, size, since, All.Snapshot());
    }
}
