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
}

/// <summary>What this node knows of one source, from all files.</summary>
internal sealed class SourceState(SourceId id)
{
    private readonly List<PlannedRequest> _inFlight = [];
    private int _delivered;
    private int _shares;

    // Most sources never fail, and none lies: nothing is kept for them.
    private Dictionary<FileKey, int>? _failures;
    private TimeSpan? _awaySince;
    private TimeSpan? _putOffSince;
    private TimeSpan _slowestAnswer;

    public SourceId Id => id;

    public SourceCondition Condition { get; private set; }

    /// <summary>Why it is away.</summary>
    public string? Reason { get; private set; }

    /// <summary>What it is blamed for; null where it never sent wrong bytes, or that has faded.</summary>
    public SourceBlame? Blame { get; private set; }

    /// <summary>It asked to be left alone until then.</summary>
    public TimeSpan PausedUntil { get; private set; }

    /// <summary>Since when it has answered nothing but "later".</summary>
    public TimeSpan? PutOffSince => _putOffSince;

    /// <summary>What it said when it asked for that.</summary>
    public string? PauseReason { get; private set; }

    /// <summary>Requests in a row that it answered with "later".</summary>
    public int PutOffs { get; private set; }

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

    public EwmaThroughput Rate { get; } = new();

    /// <summary>Measured from asking to the head of the answer.</summary>
    public TimeSpan Latency { get; private set; }

    /// <summary>What the requests in flight still have to bring.</summary>
    public long BytesInFlight { get; private set; }

    /// <summary>For how long it has not answered, over rests and probes.</summary>
    public TimeSpan AwayFor(TimeSpan now) => now - (_awaySince ?? now);

    /// <summary>Since when it has not answered; null while it does.</summary>
    public TimeSpan? AwaySince => _awaySince;

    /// <summary>How long it may be silent: who was slow and right before has the time that it takes.</summary>
    public TimeSpan PatienceWith(PlannerLimits limits)
    {
        var learned = 2 * _slowestAnswer;
        return learned <= limits.AnswerPatience ? limits.AnswerPatience
            : learned < limits.LongestAnswerPatience ? learned
            : limits.LongestAnswerPatience > limits.AnswerPatience ? limits.LongestAnswerPatience
            : limits.AnswerPatience;
    }

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
        PutOffs = 0;
        _putOffSince = null;
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

    public void Answered(TimeSpan after)
    {
        Latency = Latency == TimeSpan.Zero ? after : (Latency * 0.8) + (after * 0.2);
        Took(after);
    }

    /// <summary>Remembers how long an answer may take: the slowest counts, and less with each that is faster.</summary>
    public void Took(TimeSpan after)
    {
        var faded = _slowestAnswer * 0.9;
        _slowestAnswer = after > faded ? after : faded;
    }

    /// <summary>It wants to be left alone; for how long it has said nothing else.</summary>
    public TimeSpan PutOff(TimeSpan now)
    {
        PutOffs++;
        _putOffSince ??= now;
        return now - _putOffSince.Value;
    }

    public void Pause(string reason, TimeSpan until)
    {
        PausedUntil = until > PausedUntil ? until : PausedUntil;
        PauseReason = reason;
    }

    /// <summary>It sent wrong bytes; true when that makes the source one that is shunned.</summary>
    public bool Strike(FileKey file, string reason, TimeSpan now, PlannerLimits limits, double jitter) =>
        (Blame ??= new SourceBlame()).Strike(file, reason, now, limits, jitter);

    /// <summary>It sent a file right that it is blamed for.</summary>
    public void Absolve(FileKey file, TimeSpan now)
    {
        Blame?.Absolve(file);
        Blame = Blame is { IsEmpty: true } blame && !blame.IsShunned(now) ? null : Blame;
    }

    /// <summary>Others are asked first for this file: the source is shunned, or blamed for the file itself.</summary>
    public bool IsDistrustedFor(FileKey file, TimeSpan now) =>
        Blame is { } blame && (blame.IsShunned(now) || blame.RestOf(file, now) > TimeSpan.Zero);

    /// <summary>Nothing of it is worth remembering once no file has it for a source.</summary>
    public bool IsForgettable => InFlight.Count == 0 && Blame is null && Condition != SourceCondition.Probing;

    /// <summary>Lets go of blame that has faded.</summary>
    public void Fade(TimeSpan now, PlannerLimits limits)
    {
        Blame?.Fade(now, limits);
        Blame = Blame is { IsEmpty: true } blame && !blame.IsShunned(now) ? null : Blame;
    }

    /// <summary>Trusted again, and asked as if for the first time.</summary>
    public void Forgive()
    {
        if (Condition is SourceCondition.Away)
        {
            Condition = SourceCondition.Unknown;
        }

        Reason = null;
        ProbesFailed = 0;
        RequestsFailed = 0;
        PausedUntil = TimeSpan.Zero;
        PutOffs = 0;
        _putOffSince = null;
        Blame = null;
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

    private static int DeliveriesOf(int shares) => (shares + BatchWeight.All - 1) / BatchWeight.All;

    private void Rest(string reason, TimeSpan until, TimeSpan now)
    {
        _awaySince ??= now;
        Condition = SourceCondition.Away;
        Reason = reason;
        Until = until;
    }
}
