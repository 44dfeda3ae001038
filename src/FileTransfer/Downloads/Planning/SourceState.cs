using FileTransfer.Identity;

namespace FileTransfer.Downloads.Planning;

/// <summary>Whether a source can be asked.</summary>
public enum SourceCondition
{
    /// <summary>It was never asked, or its rest is over and it has not been asked since.</summary>
    Unknown,

    /// <summary>A probe is under way.</summary>
    Probing,

    /// <summary>It answers.</summary>
    Up,

    /// <summary>It failed, and rests.</summary>
    Away,

    /// <summary>It lied about two files; it is not asked until it is added again.</summary>
    Out,
}

/// <summary>What this node knows of one source, from all files.</summary>
internal sealed class SourceState(SourceId id)
{
    public const int LiesForgiven = 1;

    private readonly List<PlannedRequest> _inFlight = [];
    private int _delivered;
    private int _shares;

    // Most sources never fail, and none lies: nothing is kept for them.
    private Dictionary<FileKey, int>? _failures;
    private Dictionary<FileKey, string>? _lies;
    private TimeSpan? _awaySince;

    public SourceId Id => id;

    public SourceCondition Condition { get; private set; }

    /// <summary>Why it is away or out.</summary>
    public string? Reason { get; private set; }

    /// <summary>Until when it rests.</summary>
    public TimeSpan Until { get; private set; }

    public TimeSpan ProbedAt { get; private set; }

    /// <summary>Probes that failed since it last answered one.</summary>
    public int ProbesFailed { get; private set; }

    /// <summary>Requests that failed since one last brought something.</summary>
    public int RequestsFailed { get; private set; }

    /// <summary>When it last sent anything.</summary>
    public TimeSpan LastSign { get; set; }

    /// <summary>Requests of all files that are in flight.</summary>
    public IReadOnlyList<PlannedRequest> InFlight => _inFlight;

    /// <summary>A body of it is under way.</summary>
    public bool IsAnswering => _inFlight.Exists(request => request.AnsweredAt is not null);

    /// <summary>How many requests these are for the source: what is delivered together is one.</summary>
    public int Requests => _inFlight.Count - _delivered + DeliveriesOf(_shares);

    public SourceRate Rate { get; } = new();

    /// <summary>Measured from asking to the head of the answer.</summary>
    public TimeSpan Latency { get; private set; }

    /// <summary>What the requests in flight still have to bring.</summary>
    public long BytesInFlight { get; private set; }

    /// <summary>For how long it has not answered, over rests and probes.</summary>
    public TimeSpan AwayFor(TimeSpan now) => now - (_awaySince ?? now);

    public void Add(PlannedRequest request)
    {
        _inFlight.Add(request);
        BytesInFlight += request.BytesLeft;
        _delivered += request.DeliveryShare > 0 ? 1 : 0;
        _shares += request.DeliveryShare;
    }

    public void Remove(PlannedRequest request)
    {
        _inFlight.Remove(request);
        BytesInFlight -= request.BytesLeft;
        _delivered -= request.DeliveryShare > 0 ? 1 : 0;
        _shares -= request.DeliveryShare;
    }

    /// <summary>Notes the next chunks of a request that is in flight.</summary>
    public void Received(PlannedRequest request, long chunks, TimeSpan now)
    {
        var bytes = chunks * request.BytesPerChunk;
        request.Came += chunks;
        BytesInFlight -= bytes;
        Rate.Received(bytes, now);
        RequestsFailed = 0;
    }

    /// <summary>
    /// One more request fits. Deliveries leave half of the requests to what is not delivered, so that a large file does not wait for
    /// all small ones.
    /// </summary>
    public bool HasRoomFor(int deliveryShare, int requests) =>
        deliveryShare == 0
            ? Requests < requests
            : Requests - DeliveriesOf(_shares) + DeliveriesOf(_shares + deliveryShare) <= requests
                && DeliveriesOf(_shares + deliveryShare) <= Math.Max(1, requests / 2);

    public bool IsDue(TimeSpan now) =>
        Condition == SourceCondition.Unknown || (Condition == SourceCondition.Away && Until <= now);

    /// <summary>It has not been found dead: a file waits for it in its lane.</summary>
    public bool MayAnswerSoon(TimeSpan now, TimeSpan patience) =>
        ProbesFailed == 0
        && Condition switch
        {
            SourceCondition.Unknown => true,
            SourceCondition.Probing => now < ProbedAt + patience,
            SourceCondition.Away => Until <= now + patience,
            _ => false,
        };

    public void Probe(TimeSpan now)
    {
        Condition = SourceCondition.Probing;
        ProbedAt = now;
    }

    public void ComeUp(TimeSpan now)
    {
        Condition = SourceCondition.Up;
        Reason = null;
        _awaySince = null;
        ProbesFailed = 0;
        LastSign = now;
    }

    public void ProbeFailed(string reason, TimeSpan until, TimeSpan now)
    {
        ProbesFailed++;
        Rest(reason, until, now);
    }

    public void RequestFailed(string reason, TimeSpan until, TimeSpan now)
    {
        RequestsFailed++;
        ProbesFailed = 0;
        Rest(reason, until, now);
    }

    public void Answered(TimeSpan after) => Latency = Latency == TimeSpan.Zero ? after : (Latency * 0.8) + (after * 0.2);

    /// <summary>Notes a lie; true when it was one too many.</summary>
    public bool Lied(FileKey file, string reason)
    {
        (_lies ??= [])[file] = reason;
        if (_lies.Count <= LiesForgiven)
        {
            return false;
        }

        Condition = SourceCondition.Out;
        Reason = reason;
        return true;
    }

    /// <summary>Nothing of it is worth remembering once no file has it for a source.</summary>
    public bool IsForgettable => InFlight.Count == 0 && _lies is null && Condition != SourceCondition.Probing;

    /// <summary>What it lied about the file; null when it has not.</summary>
    public string? LieAbout(FileKey file) => _lies?.GetValueOrDefault(file);

    /// <summary>Trusted again, and asked as if for the first time.</summary>
    public void Forgive()
    {
        if (Condition is SourceCondition.Away or SourceCondition.Out)
        {
            Condition = SourceCondition.Unknown;
        }

        Reason = null;
        ProbesFailed = 0;
        RequestsFailed = 0;
        _lies = null;
        _failures = null;
    }

    /// <summary>Remembers for a parked file how often it failed here, so that parking does not make the count begin anew.</summary>
    public void RememberFailures(FileKey file, int failures)
    {
        const int FilesRemembered = 256;
        if (failures == 0)
        {
            _failures?.Remove(file);
        }
        else if ((_failures ??= []).Count < FilesRemembered || _failures.ContainsKey(file))
        {
            _failures[file] = failures;
        }
    }

    public int FailuresOf(FileKey file) => _failures?.GetValueOrDefault(file) ?? 0;

    private static int DeliveriesOf(int shares) => (shares + DeliveryShare.All - 1) / DeliveryShare.All;

    private void Rest(string reason, TimeSpan until, TimeSpan now)
    {
        _awaySince ??= now;
        Condition = SourceCondition.Away;
        Reason = reason;
        Until = until;
    }
}
