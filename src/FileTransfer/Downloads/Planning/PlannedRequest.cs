using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Downloads.Planning;

/// <summary>A request in flight.</summary>
internal sealed class PlannedRequest(RequestId id, FilePlan file, FileSource source, FetchPart part, TimeSpan startedAt)
{
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
    public long First { get; } = RangeOf(part)?.First ?? 0;

    /// <summary>How many chunks (or hashes of chunks) it asks for.</summary>
    public long Count { get; } = RangeOf(part)?.Count ?? file.ChunkCount;

    /// <summary>How many of them came, from the first on.</summary>
    public long Came { get; set; }

    public long BytesLeft => (Count - Came) * BytesPerChunk;

    public int BytesPerChunk { get; } = part is FetchPart.Hashes or FetchPart.HashRange ? Hash256.Length : ChunkFrame.Length;

    /// <summary>Its share of a delivery; 0 where it is a request of its own. Nodes deliver small contents together, and nobody else does.</summary>
    public int BatchShare { get; } = part is FetchPart.Whole ? ShareOf(file, source) : 0;

    /// <summary>It is one of several that bring what they bring side by side.</summary>
    public bool IsRange => RangeOf(part) is not null;

    /// <summary>The share that a small file would have.</summary>
    public static int ShareOf(FilePlan file, FileSource source) =>
        source.Kind is SourceKind.Leader or SourceKind.Node
            ? Planning.BatchWeight.Of(file.ChunkCount * ChunkFrame.ChunkLength)
            : 0;

    private static ChunkRange? RangeOf(FetchPart part) =>
        part switch
        {
            FetchPart.Window window => window.Chunks,
            FetchPart.HashRange range => range.Chunks,
            _ => null,
        };
}

/// <summary>A run of chunks that was asked for and is not all here.</summary>
internal sealed class WindowPlan(ChunkRanges outstanding)
{
    /// <summary>What of it is not proven yet.</summary>
    public ChunkRanges Outstanding => outstanding;

    /// <summary>Who brings it: one source, or two of which one hedges.</summary>
    public List<PlannedRequest> Requests { get; } = new(1);
}
