namespace FileTransfer.Downloads.Planning;

/// <summary>The requests of all files that are in flight at one source, and how fast it answers them.</summary>
internal sealed class SourceLoad
{
    private readonly List<PlannedRequest> _inFlight = [];
    private int _batched;
    private int _shares;
    private TimeSpan _slowestAnswer;

    public IReadOnlyList<PlannedRequest> InFlight => _inFlight;

    /// <summary>A body of it is under way.</summary>
    public bool IsAnswering => _inFlight.Exists(request => request.AnsweredAt is not null);

    /// <summary>How many requests these are for the source: what is fetched together is one.</summary>
    public int Requests => _inFlight.Count - _batched + BatchesOf(_shares);

    public EwmaThroughput Rate { get; } = new();

    /// <summary>Measured from asking to the head of the answer.</summary>
    public TimeSpan Latency { get; private set; }

    /// <summary>What the requests in flight still have to bring.</summary>
    public long BytesInFlight { get; private set; }

    /// <summary>How long it may be silent: who was slow and right before has the time that it takes.</summary>
    public TimeSpan PatienceWith(PlannerLimits limits)
    {
        var learned = 2 * _slowestAnswer;
        var most = limits.LongestAnswerPatience > limits.AnswerPatience ? limits.LongestAnswerPatience : limits.AnswerPatience;
        return learned <= limits.AnswerPatience ? limits.AnswerPatience
            : learned < most ? learned
            : most;
    }

    public void Add(PlannedRequest request)
    {
        _inFlight.Add(request);
        BytesInFlight += request.BytesLeft;
        _batched += request.BatchShare > 0 ? 1 : 0;
        _shares += request.BatchShare;
    }

    public void Remove(PlannedRequest request)
    {
        _inFlight.Remove(request);
        BytesInFlight -= request.BytesLeft;
        _batched -= request.BatchShare > 0 ? 1 : 0;
        _shares -= request.BatchShare;
    }

    /// <summary>Notes the next chunks of a request that is in flight.</summary>
    public void Received(PlannedRequest request, long chunks, TimeSpan now)
    {
        var bytes = chunks * request.BytesPerChunk;
        request.Came += chunks;
        BytesInFlight -= bytes;
        Rate.Received(bytes, now);
    }

    /// <summary>
    /// One more request fits. Batches leave half of the requests to what is not fetched in one, so that a large file does not wait for all
    /// small ones.
    /// </summary>
    public bool HasRoomFor(int batchShare, int requests) =>
        batchShare == 0
            ? Requests < requests
            : Requests - BatchesOf(_shares) + BatchesOf(_shares + batchShare) <= requests
                && BatchesOf(_shares + batchShare) <= Math.Max(1, requests / 2);

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

    private static int BatchesOf(int shares) => (shares + BatchWeight.All - 1) / BatchWeight.All;
}
