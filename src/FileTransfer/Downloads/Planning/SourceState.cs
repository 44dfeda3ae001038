namespace FileTransfer.Downloads.Planning;

/// <summary>Whether a source can be asked.</summary>
public enum SourceCondition
{
    /// <summary>It was never asked, or its back-off is over and it has not been asked since.</summary>
    Unknown,

    /// <summary>A probe is under way.</summary>
    Probing,

    /// <summary>It answers.</summary>
    Healthy,

    /// <summary>It failed, and is left alone for a while.</summary>
    Unreachable,
}

/// <summary>What this node knows of one source, from all files.</summary>
internal sealed class SourceState(SourceId id)
{
    private const int FilesRemembered = 256;

    // Most sources never fail: nothing is kept for them.
    private Dictionary<FileKey, int>? _failures;

    public SourceId Id => id;

    public SourceCondition Condition { get; private set; }

    /// <summary>Its requests in flight.</summary>
    public SourceLoad Load { get; } = new();

    /// <summary>It has answered a request for a range with something else, and not done better since.</summary>
    public bool LacksRanges { get; set; }

    /// <summary>Why it is unreachable.</summary>
    public string? Reason { get; private set; }

    /// <summary>Null where it never sent wrong bytes, or all strikes have faded.</summary>
    public SourceStrikes? Strikes { get; private set; }

    /// <summary>It asked to be left alone until then.</summary>
    public TimeSpan PausedUntil { get; private set; }

    /// <summary>Since when it has answered nothing but "later".</summary>
    public TimeSpan? ThrottledSince { get; private set; }

    /// <summary>What it said when it asked for that.</summary>
    public string? PauseReason { get; private set; }

    /// <summary>Requests in a row that it answered with "later".</summary>
    public int TimesThrottled { get; private set; }

    /// <summary>When an unreachable one is asked again.</summary>
    public TimeSpan RetryAt { get; private set; }

    public TimeSpan ProbedAt { get; private set; }

    /// <summary>Probes that failed since it last answered one.</summary>
    public int ProbesFailed { get; private set; }

    /// <summary>Requests that failed since one last brought something.</summary>
    public int RequestsFailed { get; private set; }

    /// <summary>When it last sent anything.</summary>
    public TimeSpan LastSeen { get; set; }

    /// <summary>Since when it has not answered, over back-offs and probes; null while it does.</summary>
    public TimeSpan? UnreachableSince { get; private set; }

    /// <summary>Nothing of it is worth remembering once no file has it for a source.</summary>
    public bool IsForgettable => Load.InFlight.Count == 0 && Strikes is null && Condition != SourceCondition.Probing;

    /// <summary>Notes the next chunks of a request that is in flight.</summary>
    public void Received(PlannedRequest request, long chunks, TimeSpan now)
    {
        Load.Received(request, chunks, now);
        RequestsFailed = 0;
        TimesThrottled = 0;
        ThrottledSince = null;
    }

    public bool IsDue(TimeSpan now) =>
        Condition == SourceCondition.Unknown || (Condition == SourceCondition.Unreachable && RetryAt <= now);

    /// <summary>It has not been found dead: a file waits for it in its lane.</summary>
    public bool MayAnswerSoon(TimeSpan now, TimeSpan patience) =>
        ProbesFailed == 0
        && Condition switch
        {
            SourceCondition.Unknown => true,
            SourceCondition.Probing => now < ProbedAt + patience,
            SourceCondition.Unreachable => RetryAt <= now + patience,
            _ => false,
        };

    public void Probe(TimeSpan now)
    {
        Condition = SourceCondition.Probing;
        ProbedAt = now;
    }

    public void BecomeHealthy(TimeSpan now)
    {
        Condition = SourceCondition.Healthy;
        Reason = null;
        UnreachableSince = null;
        ProbesFailed = 0;
        LastSeen = now;
    }

    public void ProbeFailed(string reason, TimeSpan retryAt, TimeSpan now)
    {
        ProbesFailed++;
        BackOff(reason, retryAt, now);
    }

    public void RequestFailed(string reason, TimeSpan retryAt, TimeSpan now)
    {
        RequestsFailed++;
        ProbesFailed = 0;
        BackOff(reason, retryAt, now);
    }

    /// <summary>It wants to be left alone; for how long it has said nothing else.</summary>
    public TimeSpan Throttle(TimeSpan now)
    {
        TimesThrottled++;
        ThrottledSince ??= now;
        return now - ThrottledSince.Value;
    }

    public void Pause(string reason, TimeSpan until)
    {
        PausedUntil = until > PausedUntil ? until : PausedUntil;
        PauseReason = reason;
    }

    /// <summary>It sent wrong bytes; true when that makes the source one that is demoted.</summary>
    public bool Strike(FileKey file, string reason, TimeSpan now, PlannerLimits limits, double jitter) =>
        (Strikes ??= new SourceStrikes()).Add(file, reason, now, limits, jitter);

    /// <summary>It sent a file right that it has strikes about.</summary>
    public void ClearStrikes(FileKey file, TimeSpan now)
    {
        Strikes?.Clear(file);
        Strikes = Strikes?.IsOver(now) == true ? null : Strikes;
    }

    /// <summary>Lets go of strikes that have faded.</summary>
    public void Fade(TimeSpan now, PlannerLimits limits)
    {
        Strikes?.Fade(now, limits);
        Strikes = Strikes?.IsOver(now) == true ? null : Strikes;
    }

    /// <summary>Others are asked first for this file: the source is demoted, or has strikes about the file itself.</summary>
    public bool IsDistrustedFor(FileKey file, TimeSpan now) =>
        Strikes is { } strikes && (strikes.IsDemoted(now) || strikes.BackoffOf(file, now) > TimeSpan.Zero);

    /// <summary>Trusted again, and asked as if for the first time.</summary>
    public void Reset()
    {
        Condition = Condition is SourceCondition.Unreachable ? SourceCondition.Unknown : Condition;
        Reason = null;
        ProbesFailed = 0;
        RequestsFailed = 0;
        PausedUntil = TimeSpan.Zero;
        TimesThrottled = 0;
        ThrottledSince = null;
        Strikes = null;
        LacksRanges = false;
        _failures = null;
    }

    /// <summary>Remembers for a deferred file how often it failed here, so that deferring does not make the count begin anew.</summary>
    public void RememberFailures(FileKey file, int failures)
    {
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

    private void BackOff(string reason, TimeSpan retryAt, TimeSpan now)
    {
        UnreachableSince ??= now;
        Condition = SourceCondition.Unreachable;
        Reason = reason;
        RetryAt = retryAt;
    }
}
