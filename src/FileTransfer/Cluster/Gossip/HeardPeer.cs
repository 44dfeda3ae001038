namespace FileTransfer.Cluster.Gossip;

/// <summary>When this node heard one peer itself: its silence is held against the intervals before (phi-accrual failure detection).</summary>
/// <remarks>
/// Hayashibara, Défago, Yared, Katayama, 2004, with intervals that are distributed exponentially, as Cassandra has it: phi is
/// -log10 of the chance that a peer which is there is silent for so long.
/// </remarks>
internal sealed class HeardPeer(int window)
{
    private const int Fewest = 5;

    private readonly List<float> _intervals = new(0);
    private int _oldest;
    private double _sum;

    /// <summary>Null before the first time.</summary>
    public TimeSpan? Last { get; private set; }

    /// <summary>The digests here and there that a comparison has found to differ in nothing that either wants.</summary>
    public (UInt128 Here, UInt128 There)? Settled { get; set; }

    public void Hear(TimeSpan now)
    {
        if (Last is { } last && now > last)
        {
            var interval = (float)(now - last).TotalSeconds;
            if (_intervals.Count < window)
            {
                _intervals.Add(interval);
            }
            else
            {
                _sum -= _intervals[_oldest];
                _intervals[_oldest] = interval;
                _oldest = (_oldest + 1) % window;
            }

            _sum += interval;
        }

        Last = now;
    }

    /// <summary>Null with too few samples.</summary>
    public double? Phi(TimeSpan now) =>
        _intervals.Count >= Fewest
            ? Math.Max(0, (now - Last!.Value).TotalSeconds) * _intervals.Count / Math.Max(_sum, 1e-3) / Math.Log(10)
            : null;
}
