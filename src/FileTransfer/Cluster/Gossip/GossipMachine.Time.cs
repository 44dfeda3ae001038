namespace FileTransfer.Cluster.Gossip;

/// <content>Time, as this node was awake: while it is stopped nobody else gets older.</content>
public sealed partial class GossipMachine
{
    private TimeSpan? _now;
    private TimeSpan _slept;
    private TimeSpan _awake;
    private TimeSpan _nextSweep;

    /// <summary>When it was looked last whose announcement has run out.</summary>
    private DateTimeOffset _expiredUntil;

    /// <summary>No announcement runs out before, and after that moment.</summary>
    private DateTimeOffset _nextExpiry;

    /// <summary>No suspicion that may still be refuted began before; null where there is none.</summary>
    private TimeSpan? _firstSuspicion;

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

    /// <summary>Suspicions that nobody has refuted in time.</summary>
    private void EndSuspicions()
    {
        var ends = _awake - (_limits.Suspicion * Math.Max(1, Math.Log10(_table.Count)));
        if (_firstSuspicion is not { } first || first > ends)
        {
            return;
        }

        _firstSuspicion = null;
        for (var place = 0; place < _table.Places; place++)
        {
            ref var peer = ref _table[place];
            if (!peer.Life.IsSuspected || peer.IsDead)
            {
                continue;
            }

            if (peer.Since > ends)
            {
                _firstSuspicion = _firstSuspicion < peer.Since ? _firstSuspicion : peer.Since;
                continue;
            }

            var before = peer.Status;
            peer.IsDead = true;
            peer.Since = _awake;
            Show(place, before);
        }
    }

    /// <summary>Whose announcement has run out is gone until it makes another one. Where the clock was set back, some have not run out yet.</summary>
    private void Expire(DateTimeOffset clock)
    {
        if (clock >= _expiredUntil && clock < _nextExpiry)
        {
            return;
        }

        (_expiredUntil, _nextExpiry) = (clock, DateTimeOffset.MaxValue);
        foreach (var place in _table.All().Where(place => place != _here))
        {
            ref var peer = ref _table[place];
            var (before, isExpired) = (peer.Status, peer.Words.Content.ExpiresAt <= clock);
            if (!isExpired)
            {
                NoteExpiry(peer.Words);
            }

            if (peer.IsExpired != isExpired)
            {
                CountOut(place);
                peer.IsExpired = isExpired;
                CountIn(place);
                Show(place, before);
            }
        }
    }

    private void NoteExpiry(SignedAnnouncement words)
    {
        var expires = words.Content.ExpiresAt;
        _nextExpiry = expires < _nextExpiry ? expires : _nextExpiry;
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
}
