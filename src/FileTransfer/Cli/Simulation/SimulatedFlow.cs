using FileTransfer.Serving;

namespace FileTransfer.Cli.Simulation;

/// <summary>A body on its way from one node to another, at a rate that changes when others come and go.</summary>
internal sealed class SimulatedFlow(SimulatedNode from, SimulatedNode to, double bytes, ContentPermit? permit, Action ended)
{
    /// <summary>How far back a rate is looked at, and in what steps it is measured.</summary>
    private static readonly TimeSpan _looked = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _slice = _looked / 16;

    private TimeSpan _settledAt;

    public SimulatedNode From => from;

    public SimulatedNode To => to;

    public double BytesLeft { get; private set; } = bytes;

    public double Rate { get; private set; }

    /// <summary>Grows with every change of the rate, so that an end that was expected before it is known to be void.</summary>
    public int Version { get; private set; }

    public Action Ended => ended;

    public void Begin(TimeSpan now) => _settledAt = now;

    /// <summary>Counts what came since this was last asked.</summary>
    public void Settle(TimeSpan now)
    {
        var elapsed = now - _settledAt;
        if (elapsed <= TimeSpan.Zero)
        {
            return;
        }

        var came = Math.Min(BytesLeft, Rate * elapsed.TotalSeconds);
        BytesLeft -= came;
        from.BytesSent += came;

        // The admission looks at the last moments only, and measure as a server does that writes slice by slice.
        var since = elapsed > _looked ? now - _looked : _settledAt;
        for (var at = since; at < now; at += _slice)
        {
            var part = at + _slice < now ? _slice : now - at;
            from.Account(permit, (long)(came * (part / elapsed)), at + part);
        }

        _settledAt = now;
    }

    /// <summary>Sets the rate from now on; true when it is another one.</summary>
    public bool SetRate(double rate)
    {
        if (Math.Abs(rate - Rate) <= 1e-9 * rate)
        {
            return false;
        }

        Rate = rate;
        Version++;
        return true;
    }

    public void End() => Version++;
}
