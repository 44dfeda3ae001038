namespace FileTransfer.Downloads.Planning;

/// <summary>How many bytes per second a source sends while it sends, newer seconds counting more.</summary>
/// <remarks>
/// Only the time in which a body is under way counts, so that small files, whose time is round trips, do not make a fast source look
/// slow. A source that falls silent in the middle of a body gets slower while it is looked at.
/// </remarks>
internal sealed class EwmaThroughput
{
    private const double MemorySeconds = 1;
    private const long EnoughBytes = 1024 * 1024;
    private static readonly TimeSpan _enoughTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _leastTime = TimeSpan.FromMilliseconds(1);

    private double? _bytesPerSecond;
    private long _bytes;
    private TimeSpan _busy;
    private TimeSpan _since;
    private int _bodies;

    public void BodyStarted(TimeSpan now)
    {
        if (_bodies++ == 0)
        {
            _since = now;
        }
    }

    public void BodyEnded(TimeSpan now)
    {
        Count(now);
        _bodies--;
    }

    public void Received(long bytes, TimeSpan now)
    {
        Count(now);
        _bytes += bytes;
        if (_busy >= _enoughTime || _bytes >= EnoughBytes)
        {
            _bytesPerSecond = Blend(_busy);
            _bytes = 0;
            _busy = TimeSpan.Zero;
        }
    }

    /// <summary>Bytes per second; null when too little came.</summary>
    public double? At(TimeSpan now)
    {
        var busy = _busy + (_bodies > 0 ? now - _since : TimeSpan.Zero);
        return busy > _enoughTime ? Blend(busy) : _bytesPerSecond;
    }

    private void Count(TimeSpan now)
    {
        if (_bodies > 0)
        {
            _busy += now - _since;
            _since = now;
        }
    }

    private double Blend(TimeSpan busy)
    {
        var seconds = Math.Max(busy.TotalSeconds, _leastTime.TotalSeconds);
        var sample = _bytes / seconds;
        return _bytesPerSecond is { } old ? old + ((sample - old) * (1 - Math.Exp(-seconds / MemorySeconds))) : sample;
    }
}
