using FileTransfer.Chunks;

namespace FileTransfer.Downloads.Planning;

/// <summary>Names one request that the planner asked for. Never used twice.</summary>
public readonly record struct RequestId(long Value)
{
    public override string ToString() => $"#{Value}";
}

/// <summary>What one request asks of a source.</summary>
public abstract record FetchPart
{
    private FetchPart() { }

    /// <summary>The chunk hashes of the file; done when their root is the fingerprint.</summary>
    public sealed record Hashes : FetchPart
    {
        public static Hashes Instance { get; } = new();
    }

    /// <summary>A run of the chunk hashes of a large file; proven with all the others, when they are here.</summary>
    public sealed record HashRange(ChunkRange Chunks) : FetchPart;

    /// <summary>The whole content in one body; done when all of it is proven.</summary>
    public sealed record Whole : FetchPart
    {
        public static Whole Instance { get; } = new();
    }

    /// <summary>A run of chunks, each proven by its hash as it comes.</summary>
    public sealed record Window(ChunkRange Chunks) : FetchPart;
}
