namespace FileTransfer.Downloads.Planning;

/// <summary>Why a source is of no more use to a file, as long as its lane has it.</summary>
internal enum SourceLoss
{
    None,
    NotFound,
    Corrupt,
}

/// <summary>What one wanted file knows of one of its sources.</summary>
internal sealed class FileSource(SourceState state, SourceKind kind)
{
    public SourceState State => state;

    public SourceKind Kind { get; set; } = kind;

    /// <summary>It is still said to have the file.</summary>
    public bool IsListed { get; set; } = true;

    /// <summary>What it has, where it downloads the file itself; null where it has everything.</summary>
    public SourceParts? Parts { get; set; }

    /// <summary>Windows that it serves to others, until <see cref="RefusedUntil"/>.</summary>
    public WindowSet? Refused { get; private set; }

    public TimeSpan RefusedUntil { get; private set; }

    /// <summary>Requests in a row that it refused for others.</summary>
    public int Refusals { get; set; }

    public SourceLoss Loss { get; private set; }

    /// <summary>What it last did wrong.</summary>
    public string? Reason { get; private set; }

    /// <summary>What kind of fault that was.</summary>
    public SourceFaultKind? Fault { get; private set; }

    /// <summary>It sent wrong bytes, but right ones before, which are kept.</summary>
    public bool SentRightChunksBefore { get; set; }

    /// <summary>Its chunk hashes are missing or contradict the fingerprint: until another source's prove the file, it is asked for the whole.</summary>
    public bool LacksHashes { get; set; }

    /// <summary>Requests of this file that failed here since one brought something.</summary>
    public int Failures { get; private set; }

    /// <summary>The last failure was a refusal: it answers, but not this.</summary>
    public bool HasRefused { get; private set; }

    /// <summary>It has brought something of the file; until then a share or a stream may as well not have it.</summary>
    public bool HasBrought { get; private set; }

    /// <summary>Until when it serves another node.</summary>
    public TimeSpan BusyUntil { get; set; }

    /// <summary>Until when this file does not ask it again after a refusal.</summary>
    public TimeSpan RetryAt { get; private set; }

    /// <summary>Requests of this file in flight there.</summary>
    public int InFlight { get; set; }

    public bool IsCandidate => IsListed && Loss == SourceLoss.None && Parts is not { HasHashes: false };

    public bool IsBusy(TimeSpan now) => IsCandidate && State.Condition == SourceCondition.Healthy && BusyUntil > now;

    /// <summary>It failed so often, or in such a way, that waiting for it is no hope.</summary>
    public bool HasFailed(int failuresPerFile) => HasRefused || Failures >= failuresPerFile;

    /// <summary>It serves a window to another node.</summary>
    public void Refuse(int window, int windows, TimeSpan until, TimeSpan now)
    {
        Refused ??= new WindowSet(windows);
        if (RefusedUntil <= now)
        {
            Refused.Clear();
        }

        Refused.Add(window);
        RefusedUntil = until;
    }

    public void Lose(SourceLoss loss, string? reason)
    {
        Loss = loss;
        Reason = reason;
        Fault = loss == SourceLoss.Corrupt ? SourceFaultKind.Corrupt : SourceFaultKind.NotFound;
    }

    public void Reset()
    {
        Loss = SourceLoss.None;
        Reason = null;
    }

    public void Fail(SourceFaultKind fault, string reason, bool broughtSomething)
    {
        Reason = reason;
        Fault = fault;
        HasRefused = false;
        Failures = broughtSomething ? 0 : Failures + 1;
    }

    public void Refuse(string reason, TimeSpan retryAt)
    {
        Fail(SourceFaultKind.Refused, reason, broughtSomething: false);
        HasRefused = true;
        RetryAt = retryAt;
    }

    public void Remember(int failures) => Failures = failures;

    public void Progressed()
    {
        HasBrought = true;
        Refusals = 0;
        Failures = 0;
        HasRefused = false;
    }
}
