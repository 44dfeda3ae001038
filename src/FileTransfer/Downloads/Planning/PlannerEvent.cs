using FileTransfer.Chunks;

namespace FileTransfer.Downloads.Planning;

/// <summary>Something that happened, reported to the planner.</summary>
/// <remarks>
/// Every <see cref="PlannerAction.Fetch"/> ends with one <see cref="RequestDone"/> or <see cref="RequestFailed"/>, every
/// <see cref="PlannerAction.Probe"/> with one <see cref="ProbeAnswered"/> or <see cref="ProbeFailed"/>. What is reported about a request that
/// was cancelled, or of a file that is gone, is ignored.
/// </remarks>
public abstract record PlannerEvent
{
    private PlannerEvent() { }

    /// <summary>A lane wants a file.</summary>
    /// <param name="File">Its key; not wanted already.</param>
    /// <param name="ChunkCount">Chunks of the whole.</param>
    /// <param name="Missing">The chunks that are not proven here, in any order. Without proven hashes everything is missing.</param>
    /// <param name="HashesProven">Its chunk hashes are here and proven against the fingerprint.</param>
    /// <param name="Sources">Who is said to have it, most promising first.</param>
    /// <param name="CompetingNodes">Other nodes that want it too and do not have it yet.</param>
    /// <param name="Deadline">When it is given up, in the planner's time.</param>
    public sealed record FileWanted(
        FileKey File,
        long ChunkCount,
        IReadOnlyList<ChunkRange> Missing,
        bool HashesProven,
        IReadOnlyList<SourceHint> Sources,
        int CompetingNodes,
        TimeSpan? Deadline = null
    ) : PlannerEvent
    {
        /// <summary>It gets the next requests before files of a lower one.</summary>
        public int Priority { get; init; }
    }

    /// <summary>A person puts a wanted file before or behind others.</summary>
    public sealed record PriorityChanged(FileKey File, int Priority) : PlannerEvent;

    /// <summary>Who is said to have a wanted file now: all of them, not the change.</summary>
    public sealed record SourcesChanged(FileKey File, IReadOnlyList<SourceHint> Sources, int CompetingNodes) : PlannerEvent;

    /// <summary>A source that downloads a wanted file itself has proven its hashes: it answers for what it has.</summary>
    public sealed record PartsBegun(SourceId Source, FileKey File) : PlannerEvent;

    /// <summary>What such a source has of a window changed.</summary>
    /// <param name="Window">A run of <see cref="PlannerLimits.WindowChunks"/> chunks, counted from 0.</param>
    public sealed record PartChanged(SourceId Source, FileKey File, int Window, PartState State) : PlannerEvent;

    /// <summary>Such a source does not report any more what it has: it is not asked until it does again.</summary>
    public sealed record PartsEnded(SourceId Source, FileKey File) : PlannerEvent;

    /// <summary>A file is not wanted any more. Its requests are to be cancelled, as the answer says.</summary>
    public sealed record FileDropped(FileKey File) : PlannerEvent;

    /// <summary>A reader waits for a chunk of a file under way, and for what follows it.</summary>
    public sealed record ChunkAwaited(FileKey File, long Chunk) : PlannerEvent;

    /// <summary>A source answers: whatever it said of the file it was asked for, it is there.</summary>
    /// <param name="After">How long that took.</param>
    /// <param name="HasRanges">Whether it answered a range with that range; null where its answer does not say.</param>
    public sealed record ProbeAnswered(SourceId Source, TimeSpan After = default, bool? HasRanges = null) : PlannerEvent;

    public sealed record ProbeFailed(SourceId Source, string Reason) : PlannerEvent;

    /// <summary>A person or a new configuration trusts a source again: what it did is forgotten.</summary>
    public sealed record SourceReadded(SourceId Source) : PlannerEvent;

    /// <summary>A source is not to be asked any more, as one that is not trusted: no file asks it, and what it was asked for goes to others.</summary>
    public sealed record SourceRevoked(SourceId Source) : PlannerEvent;

    /// <summary>Something that happened to a request in flight.</summary>
    public abstract record OfRequest(RequestId Request) : PlannerEvent;

    /// <summary>The head of the answer has come: the source is not silent. Nothing of the body need be there.</summary>
    public sealed record RequestAnswered(RequestId Request) : OfRequest(Request);

    /// <summary>
    /// Chunks came, in order from the start of the request's range, since the last such report; of a window they are proven and written. Of
    /// the hashes, and of a whole content without proven hashes, this says only how far the body is.
    /// </summary>
    public sealed record ChunksProven(RequestId Request, int Chunks) : OfRequest(Request);

    /// <summary>All that was asked for is here. Hashes: proven against the fingerprint. Whole: the content is proven.</summary>
    public sealed record RequestDone(RequestId Request) : OfRequest(Request);

    /// <summary>After its hashes are trusted: what of a file is missing, now that what is on disk has been proven with them.</summary>
    public sealed record HashesKnown(FileKey File, IReadOnlyList<ChunkRange> Missing) : PlannerEvent;

    /// <summary>The ranges of chunk hashes that came do not make up the fingerprint; one of those who sent them lied.</summary>
    public sealed record HashesInvalid(FileKey File) : PlannerEvent;

    /// <summary>A request ended without its end.</summary>
    /// <param name="Reason">A sentence that names the source, for a person.</param>
    /// <param name="RetryAfter">What a source said that is busy, or wants to be left alone.</param>
    public sealed record RequestFailed(RequestId Request, SourceFaultKind Kind, string Reason, TimeSpan? RetryAfter = null)
        : OfRequest(Request);

    /// <summary>From now on these hold. Requests in flight beyond them are left to end.</summary>
    public sealed record LimitsChanged(PlannerLimits Limits) : PlannerEvent;

    /// <summary>Time has passed: due at the time the planner named.</summary>
    public sealed record Tick : PlannerEvent
    {
        public static Tick Instance { get; } = new();
    }
}
