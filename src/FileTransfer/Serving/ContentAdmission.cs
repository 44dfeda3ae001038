using FileTransfer.Bandwidth;

namespace FileTransfer.Serving;

/// <summary>
/// Who is given which part of a content larger than one window. While the uplink is full, nodes that ask for different windows share it, and
/// no window goes to two at once: who is refused takes another one, or gets it from who was sent it.
/// </summary>
/// <remarks>
/// <para>There is uplink to spare while less than <see cref="Used"/> of the capacity is sent. The capacity is the limit in force, or the
/// best rate seen lately where there is none. What has just begun counts as using everything.</para>
/// <para>Hashes go to one node at a time, and before any window: nobody can pass on anything before he has them all. A window that was sent
/// lately by who has the whole content is not sent again: so one copy of it goes to many nodes, who give each other the rest.</para>
/// <para>Nobody is a hostage (I7): a request keeps others out while it is young, and after that only while it takes at least a tenth of its
/// share of the capacity.</para>
/// <para>Pure: time is given, and the same calls have the same answers. Safe to be called from several threads. Remembers the requests in
/// flight, and the windows that were sent in the last seconds.</para>
/// </remarks>
/// <param name="limit">Reads the limit of the uplink that is in force; null = none.</param>
public sealed class ContentAdmission(Func<ByteRate?> limit)
{
    /// <summary>Contents up to one window are given to anyone: to be turned away costs more than they do.</summary>
    public const long FreeUpToBytes = 4L * 1024 * 1024;

    /// <summary>Above this part of its capacity an uplink counts as full.</summary>
    public const double Used = 0.8;

    /// <summary>A request that takes less than this part of its share of the capacity keeps nobody out.</summary>
    public const double SlowPart = 0.1;

    /// <summary>Nodes that are sent different windows of a content at once from a full uplink: more, and each would wait for long.</summary>
    public const int NodesAtOnce = 8;

    /// <summary>What an uplink without a limit can send at least: 100 Mbit/s.</summary>
    public static readonly ByteRate LeastCapacity = new(12_500_000);

    /// <summary>How long a request counts as using everything, from its first byte on, and how long that byte is waited for.</summary>
    public static readonly TimeSpan Young = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a node that got some of the hashes has to ask for more.</summary>
    public static readonly TimeSpan BetweenHashes = TimeSpan.FromMilliseconds(100);

    /// <summary>How long who was sent a window has to pass it on: until then it is not sent again from a full uplink.</summary>
    public static readonly TimeSpan Lately = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _halfLife = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<Fingerprint, Requests> _contents = [];
    private readonly SlidingWindowRate _sent = new();
    private double _best = LeastCapacity.BytesPerSecond;
    private TimeSpan _bestAt;
    private TimeSpan _sweptAt;
    private int _count;

    /// <summary>Requests in flight.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Begins a request of a node; <see cref="Release"/> ends it. Null: others are sent it first.</summary>
    public ContentPermit? TryAcquire(string asker, Fingerprint content, ContentPart part, TimeSpan now)
    {
        lock (_lock)
        {
            Sweep(now);
            if (!_contents.TryGetValue(content, out var requests))
            {
                _contents[content] = requests = new Requests();
            }

            if (IsFull(requests, now) && IsKeptOut(requests, asker, part, now))
            {
                return null;
            }

            var permit = new ContentPermit(asker, content, part, now);
            requests.InFlight.Add(permit);
            _count++;
            return permit;
        }
    }

    /// <summary>Bytes went out to a node that has a permit, or to somebody who needs none.</summary>
    public void Sent(ContentPermit? permit, long bytes, TimeSpan now)
    {
        lock (_lock)
        {
            Measure(bytes, now);
            permit?.Sent(bytes, now);
        }
    }

    /// <summary>Ends a request.</summary>
    /// <param name="isPassedOn">All of it was sent, of a whole content: whoever has it now passes it on.</param>
    public void Release(ContentPermit permit, bool isPassedOn, TimeSpan now)
    {
        lock (_lock)
        {
            if (_contents.TryGetValue(permit.Content, out var requests) && requests.InFlight.Remove(permit))
            {
                _count--;
                if (permit.Part.IsHashes)
                {
                    requests.Awaited = permit.Part.IsEnd || !KeepsOut(permit, now) ? null : (permit.Node, now + BetweenHashes);
                }

                for (var window = permit.Part.First; isPassedOn && !permit.Part.IsHashes && window <= permit.Part.Last; window++)
                {
                    requests.Sent[window] = (permit.Node, now);
                }
            }
        }
    }

    private bool IsKeptOut(Requests requests, string asker, ContentPart part, TimeSpan now)
    {
        var others = requests.InFlight.FindAll(request => request.Node != asker && KeepsOut(request, now));
        return (requests.IsAwaited(now) && requests.Awaited?.Node != asker)
            || others.Exists(request => request.Part.IsHashes || (!part.IsHashes && request.Part.Overlaps(part)))
            || (!part.IsHashes && others.DistinctBy(request => request.Node).Count() >= NodesAtOnce)
            || (!part.IsHashes && WasSentLately(requests, asker, part, now));
    }

    private static bool WasSentLately(Requests requests, string asker, ContentPart part, TimeSpan now)
    {
        for (var window = part.First; window <= part.Last; window++)
        {
            if (requests.Sent.TryGetValue(window, out var sent) && sent.To != asker && now - sent.At < Lately)
            {
                return true;
            }
        }

        return false;
    }

    private bool KeepsOut(ContentPermit request, TimeSpan now)
    {
        if (request.IsYoung(now))
        {
            return true;
        }

        var slow = SlowPart * Capacity(now) / Math.Max(1, _count);
        return request.BytesPerSecond(now, SpanSince(request.FirstByteAt, now)) >= slow;
    }

    private bool IsFull(Requests requests, TimeSpan now) =>
        requests.IsAwaited(now)
        || requests.InFlight.Exists(request => request.IsYoung(now))
        || _sent.BytesPerSecond(now, SpanSince(requests.InFlight.Max(request => request.FirstByteAt), now))
            >= Used * Capacity(now);

    /// <summary>Since something began to be sent, but no longer than a second: a hiccup of its reader is not slowness.</summary>
    private static TimeSpan SpanSince(TimeSpan? begun, TimeSpan now) =>
        now - (begun ?? TimeSpan.Zero) is var span && span < _second ? span : _second;

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

    private void Sweep(TimeSpan now)
    {
        if (now - _sweptAt < _second)
        {
            return;
        }

        _sweptAt = now;
        foreach (var (content, requests) in _contents)
        {
            foreach (var (window, sent) in requests.Sent)
            {
                if (now - sent.At >= Lately)
                {
                    requests.Sent.Remove(window);
                }
            }

            if (requests.InFlight.Count == 0 && requests.Sent.Count == 0)
            {
                _contents.Remove(content);
            }
        }
    }

    private sealed class Requests
    {
        public List<ContentPermit> InFlight { get; } = [];

        /// <summary>Who got some of the hashes and will ask for more.</summary>
        public (string Node, TimeSpan Until)? Awaited { get; set; }

        public bool IsAwaited(TimeSpan now) => Awaited is var (_, until) && now < until;

        /// <summary>Windows that were sent to the end.</summary>
        public Dictionary<int, (string To, TimeSpan At)> Sent { get; } = [];
    }
}
