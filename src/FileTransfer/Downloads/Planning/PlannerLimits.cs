using FileTransfer.Chunks.Frames;

namespace FileTransfer.Downloads.Planning;

/// <summary>How much the planner asks for at once, and how long it waits.</summary>
public sealed record PlannerLimits
{
    /// <summary>Content asked for in one request, where it is not known that a source brings more in no time.</summary>
    public const int WindowBytes = 4 * 1024 * 1024;

    public static PlannerLimits Default { get; } = new();

    /// <summary>Requests in flight of all files at all sources; small contents that a node delivers together are one.</summary>
    public int Requests { get; init; } = 50;

    /// <summary>Requests in flight at one source; half of them, at the most, are deliveries.</summary>
    public int RequestsPerSource { get; init; } = 4;

    /// <summary>Requests in flight at one source for one file: the one that is read, and the next, so that no round trip is waited for.</summary>
    public int RequestsPerFileAndSource { get; init; } = 2;

    /// <summary>Requests in flight of one file that other nodes download too.</summary>
    public int RequestsPerSharedFile { get; init; } = 8;

    /// <summary>Sources with requests in flight.</summary>
    public int Connections { get; init; } = 25;

    /// <summary>Chunks of one window.</summary>
    public int WindowChunks { get; init; } = WindowBytes / ChunkFrame.ChunkLength;

    /// <summary>Chunks of one window, at the most, at a source that brings them within <see cref="LongWindowTime"/>; a request has its price too.</summary>
    public int LongWindowChunks { get; init; } = 4 * WindowBytes / ChunkFrame.ChunkLength;

    /// <summary>How long a window above <see cref="WindowChunks"/> may take.</summary>
    public TimeSpan LongWindowTime { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Hashes of chunks asked for in one request; a file with more gets them from several sources.</summary>
    public int HashChunks { get; init; } = 32 * 1024;

    /// <summary>How long a file waits in its lane for a source that may answer yet, before it is deferred.</summary>
    public TimeSpan LanePatience { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a file that other nodes download too waits in its lane for what they, or busy sources, have.</summary>
    public TimeSpan SharedPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a source that serves a window to another node is not asked for it again.</summary>
    public TimeSpan RefusedWait { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a source may be silent on a request or a probe before it is unreachable; one that was seen to take longer has twice that.</summary>
    public TimeSpan AnswerPatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>No source may be silent for longer, however long it has taken before.</summary>
    public TimeSpan LongestAnswerPatience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Bound of the first back-off of a source after a failure; it doubles with each further one, with full jitter.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest back-off of a source that answers probes and fails requests.</summary>
    public TimeSpan LongestBackoff { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest back-off between two probes of a source that a file waits for.</summary>
    public TimeSpan LongestProbeBackoff { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>How long a file that waits for a permit of busy sources is deferred, on average; longer where more than a hundred wait.</summary>
    public TimeSpan PermitWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a file that no source has is deferred; a node that gets it stored wakes it sooner.</summary>
    public TimeSpan NoSourceWait { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest time a file is deferred for sources that are unreachable; it is woken when one of them answers.</summary>
    public TimeSpan LongestSourceWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time that a source can ask to be left alone for, whatever it names.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A source that has answered nothing but "later" for so long refuses: from then on that costs attempts.</summary>
    public TimeSpan LongestThrottle { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a file asks others first after a source sent wrong bytes of it; doubles with each further time.</summary>
    public TimeSpan FirstStrikeBackoff { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestStrikeBackoff { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A source with strikes about so many files at once is demoted: asked last, for every file.</summary>
    public int FilesThatDemote { get; init; } = 2;

    /// <summary>How long a source is demoted at first; doubles with each further time that it sent wrong bytes.</summary>
    public TimeSpan FirstDemotion { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan LongestDemotion { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>After so long one of the times that a source sent wrong bytes of a file counts no more.</summary>
    public TimeSpan StrikeFade { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Requests of one file that fail at one source without bringing anything before that file gives the source up.</summary>
    public int FailuresPerFile { get; init; } = 3;
}
