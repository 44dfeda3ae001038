namespace FileTransfer.Bandwidth;

/// <summary>How many bytes per second passed lately, up to a second back, in sixteen parts. Time is given, not taken.</summary>
public sealed class SlidingWindowRate
{
    private const int Parts = 16;
    private const long PartTicks = TimeSpan.TicksPerSecond / Parts;

    private readonly long[] _parts = new long[Parts];
    private long _newest;

    public void Add(long bytes, TimeSpan now)
    {
        MoveTo(now);
        _parts[_newest % Parts] += bytes;
    }

    /// <summary>The mean over the last <paramref name="span"/>, a second at most.</summary>
    public double BytesPerSecond(TimeSpan now, TimeSpan span)
    {
        MoveTo(now);
        var parts = Math.Clamp((int)Math.Ceiling((double)span.Ticks / PartTicks), 1, Parts);
        var sum = 0L;
        for (var part = _newest; part > _newest - parts && part >= 0; part--)
        {
            sum += _parts[part % Parts];
        }

        // The newest part is not over yet: what it lacks is not to be taken for standstill.
        var covered = ((parts - 1) * PartTicks) + (now.Ticks % PartTicks);
        return sum / TimeSpan.FromTicks(Math.Max(covered, PartTicks)).TotalSeconds;
    }

    private void MoveTo(TimeSpan now)
    {
        var part = now.Ticks / PartTicks;
        if (part - _newest >= Parts)
        {
            Array.Clear(_parts);
            _newest = part;
            return;
        }

        while (_newest < part)
        {
            _newest++;
            _parts[_newest % Parts] = 0;
        }
    }
}
