using FileTransfer.Chunks;

namespace FileTransfer.Downloads.Planning;

/// <summary>A request in flight.</summary>
internal sealed class PlannedRequest(RequestId id, FilePlan file, FileSource source, FetchPart part, TimeSpan startedAt)
{
    private const int ChunkHashLength = 32;

    public RequestId Id => id;

    public FilePlan File => file;

    public FileSource Source => source;

    public FetchPart Part => part;

    public TimeSpan StartedAt => startedAt;

    /// <summary>When the head of the answer came.</summary>
    public TimeSpan? AnsweredAt { get; set; }

    /// <summary>The window it is for; none while nothing can be proven chunk by chunk.</summary>
    public WindowPlan? Window { get; init; }

    /// <summary>The first chunk it asks for.</summary>
    public long First { get; } = part is FetchPart.Window { Chunks.First: var first } ? first : 0;

    /// <summary>How many chunks (or hashes of chunks) it asks for.</summary>
    public long Count { get; } = part is FetchPart.Window { Chunks.Count: var count } ? count : file.ChunkCount;

    /// <summary>How many of them came, from the first on.</summary>
    public long Came { get; set; }

    public long BytesLeft => (Count - Came) * BytesPerChunk;

    public int BytesPerChunk => part is FetchPart.Hashes ? ChunkHashLength : ChunkFrame.Length;
}

/// <summary>A run of chunks that was asked for and is not all here.</summary>
internal sealed class WindowPlan(ChunkRanges open)
{
    /// <summary>What of it is not proven yet.</summary>
    public ChunkRanges Open => open;

    /// <summary>Who brings it: one source, or two that race.</summary>
    public List<PlannedRequest> Requests { get; } = new(1);
}
