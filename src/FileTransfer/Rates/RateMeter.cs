namespace FileTransfer.Rates;

/// <summary>How many bytes per second passed lately: over the last half second, in eight parts. Time is given, not taken.</summary>
public sealed class RateMeter
{
    public static readonly TimeSpan Span = TimeSpan.FromMilliseconds(Parts * PartMilliseconds);

    private const int Parts = 8;
    private const int PartMilliseconds = 62;
    private const long PartTicks = PartMilliseconds * TimeSpan.TicksPerMillisecond;

    private readonly long[] _parts = new long[Parts];
    private long _newest;
    private long _sum;

    public void Add(long bytes, TimeSpan now)
    {
        MoveTo(now);
        _parts[_newest % Parts] += bytes;
        _sum += bytes;
    }

    public double BytesPerSecond(TimeSpan now)
    {
        MoveTo(now);

        // The newest part is not over yet: what it lacks is not to be taken for standstill.
        var covered = Span - TimeSpan.FromTicks(PartTicks - (now.Ticks % PartTicks));
        return _sum / covered.TotalSeconds;
    }

    private void MoveTo(TimeSpan now)
    {
        var part = now.Ticks / PartTicks;
        if (part - _newest >= Parts)
        {
            Array.Clear(_parts);
            _sum = 0;
            _newest = part;
            return;
        }

        while (_newest < part)
        {
            _newest++;
            _sum -= _parts[_newest % Parts];
            _parts[_newest % Parts] = 0;
        }
    }
}
