namespace FileTransfer.Cluster.Gossip;

/// <content>Time, as this node was awake: while it is stopped nobody else gets older.</content>
public sealed partial class GossipMachine
{
    private readonly Queue<(int Place, int Since)> _suspicions = [];
    private TimeSpan? _now;
    private TimeSpan _slept;
    private TimeSpan _awake;
    private TimeSpan _nextSweep;

    private void Advance(TimeSpan now)
    {
        var gap = now - (_now ?? now);
        if (gap > 2 * _limits.Interval)
        {
            _slept += gap - _limits.Interval;
            foreach (var exchange in _exchanges.Values)
            {
                exchange.IsVoid = true;
            }

            _doubts.Clear();
        }

        _now = gap >= TimeSpan.Zero ? now : _now;
        _awake = _now!.Value - _slept;
    }

    /// <summary>A suspicion that nobody has refuted in time.</summary>
    private void EndSuspicions()
    {
        var ends = _awake - (_limits.Suspicion * Math.Max(1, Math.Log10(_table.Count)));
        while (_suspicions.TryPeek(out var oldest) && oldest.Since * TenthOfSecond <= ends)
        {
            _suspicions.Dequeue();
            if (!_table.IsTaken(oldest.Place))
            {
                continue;
            }

            ref var peer = ref _table[oldest.Place];
            if (peer.Life.IsSuspected && !peer.IsDead && peer.Tenths == oldest.Since)
            {
                var before = peer.Status;
                peer.IsDead = true;
                peer.Since = _awake;
                Show(oldest.Place, before);
            }
        }
    }

    /// <summary>From time to time: who was dead for long is not passed on any more, and then forgotten.</summary>
    private void Sweep()
    {
        if (_awake < _nextSweep)
        {
            return;
        }

        _nextSweep = _awake + (_limits.ForgetAfter / 1440);
        foreach (var place in _table.All())
        {
            ref var peer = ref _table[place];
            var dead = peer.IsDead ? _awake - peer.Since : TimeSpan.Zero;
            if (dead >= _limits.ForgetAfter / 2 && !peer.IsSilent)
            {
                CountOut(place);
                peer.IsSilent = true;
            }

            if (dead >= _limits.ForgetAfter)
            {
                _forgotten.Put(peer.Words.Name, peer.Words);
                Emit(new GossipAction.Forgot(peer.Words.Name));
                Remove(place);
            }
        }
    }

    private static readonly TimeSpan TenthOfSecond = TimeSpan.FromMilliseconds(100);
}
