using FileTransfer.Bandwidth;

namespace FileTransfer.Serving;

/// <summary>
/// Who is given a content larger than one window: one node at a time, and more while there is bandwidth to spare. A node that is refused
/// comes again, and finds another source by then: so a content spreads as a tree, and a source sends few copies of it.
/// </summary>
/// <remarks>
/// <para>There is uplink to spare while less than <see cref="Used"/> of the capacity is sent. The capacity is the limit in force, or the
/// best rate seen lately where there is none.</para>
/// <para>Nobody is a hostage (I7): a permit keeps others out while it is young (its first bytes are under way) and after that only while
/// it takes at least a tenth of its share of the capacity. A node that takes less keeps others out for a second at most.</para>
/// <para>Pure: time is given, and the same calls have the same answers. Safe to be called from several threads. Remembers the permits with
/// a request in flight, and those of the last second.</para>
/// </remarks>
/// <param name="limit">Reads the limit of the uplink that is in force; null = none.</param>
public sealed class ContentAdmission(Func<ByteRate?> limit)
{
    /// <summary>Contents up to one window are given to anyone: to be turned away costs more than they do.</summary>
    public const long FreeUpToBytes = 4L * 1024 * 1024;

    /// <summary>Above this part of its capacity an uplink counts as full.</summary>
    public const double Used = 0.8;

    /// <summary>A permit that takes less than this part of its share of the capacity keeps nobody out.</summary>
    public const double SlowPart = 0.1;

    /// <summary>What an uplink without a limit can send at least: 100 Mbit/s.</summary>
    public static readonly ByteRate LeastCapacity = new(12_500_000);

    /// <summary>How long a permit lasts between two requests of its node.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);

    /// <summary>How long a permit counts as using everything, from its first byte on, and how long that byte is waited for.</summary>
    public static readonly TimeSpan Young = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _halfLife = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<Fingerprint, List<Permit>> _permits = [];
    private readonly SlidingWindowRate _sent = new();
    private double _best = LeastCapacity.BytesPerSecond;
    private TimeSpan _bestAt;
    private TimeSpan _sweptAt;
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Begins a request of a node; <see cref="Release"/> ends it. False: others are served first, ask again in a second.</summary>
    public bool TryAcquire(NodeId asker, Fingerprint content, TimeSpan now)
    {
        lock (_lock)
        {
            Sweep(now);
            if (!_permits.TryGetValue(content, out var permits))
            {
                _permits[content] = permits = new List<Permit>(1);
            }

            _count -= permits.RemoveAll(permit => permit.IsOver(now));
            var mine = permits.Find(permit => permit.Node == asker);
            if (mine is null)
            {
                if (!HasRoom(permits, now))
                {
                    return false;
                }

                permits.Add(mine = new Permit(asker, now));
                _count++;
            }

            mine.InFlight++;
            return true;
        }
    }

    /// <summary>Bytes went out to a node that has a permit.</summary>
    public void Sent(NodeId asker, Fingerprint content, long bytes, TimeSpan now)
    {
        lock (_lock)
        {
            Measure(bytes, now);
            if (Find(asker, content) is { } permit)
            {
                permit.FirstByteAt ??= now;
                permit.Sent.Add(bytes, now);
            }
        }
    }

    /// <summary>Bytes went out to somebody who needs no permit.</summary>
    public void Sent(long bytes, TimeSpan now)
    {
        lock (_lock)
        {
            Measure(bytes, now);
        }
    }

    /// <summary>Ends a request that <see cref="TryAcquire"/> began; the permit ends when no other follows within <see cref="Idle"/>.</summary>
    public void Release(NodeId asker, Fingerprint content, TimeSpan now)
    {
        lock (_lock)
        {
            if (Find(asker, content) is { InFlight: > 0 } permit)
            {
                permit.InFlight--;
                permit.LeftAt = now;
            }
        }
    }

    private bool HasRoom(List<Permit> permits, TimeSpan now)
    {
        if (permits.Exists(permit => permit.IsYoung(now)))
        {
            return false;
        }

        // Since the youngest permit began to be served, but no longer than a second: a hiccup of its reader is not slowness.
        var youngest = permits.Max(permit => permit.FirstByteAt) ?? TimeSpan.Zero;
        var span = now - youngest < _second ? now - youngest : _second;
        var capacity = Capacity(now);
        var slow = SlowPart * capacity / Math.Max(1, _count);
        return _sent.BytesPerSecond(now, span) < Used * capacity
            || !permits.Exists(permit => permit.Sent.BytesPerSecond(now, span) >= slow);
    }

    private double Capacity(TimeSpan now) =>
        limit()?.BytesPerSecond ?? Math.Max(Decayed(now), _sent.BytesPerSecond(now, _second));

    private void Measure(long bytes, TimeSpan now)
    {
        _sent.Add(bytes, now);
        var rate = _sent.BytesPerSecond(now, _second);
        if (rate > Decayed(now))
        {
            _best = rate;
            _bestAt = now;
        }
    }

    private double Decayed(TimeSpan now) =>
        Math.Max(LeastCapacity.BytesPerSecond, _best * Math.Pow(0.5, (now - _bestAt) / _halfLife));

    private Permit? Find(NodeId asker, Fingerprint content) =>
        _permits.TryGetValue(content, out var permits) ? permits.Find(permit => permit.Node == asker) : null;

    private void Sweep(TimeSpan now)
    {
        if (now - _sweptAt < Idle)
        {
            return;
        }

        _sweptAt = now;
        foreach (var (content, permits) in _permits)
        {
            _count -= permits.RemoveAll(permit => permit.IsOver(now));
            if (permits.Count == 0)
            {
                _permits.Remove(content);
            }
        }
    }

    private sealed class Permit(NodeId node, TimeSpan enteredAt)
    {
        public NodeId Node => node;

        public int InFlight { get; set; }

        public TimeSpan LeftAt { get; set; }

        public TimeSpan? FirstByteAt { get; set; }

        public SlidingWindowRate Sent { get; } = new();

        public bool IsOver(TimeSpan now) => InFlight == 0 && now - LeftAt >= Idle;

        public bool IsYoung(TimeSpan now) =>
            now - (FirstByteAt is { } first && first - enteredAt < Young ? first : enteredAt) < Young;
    }
}
