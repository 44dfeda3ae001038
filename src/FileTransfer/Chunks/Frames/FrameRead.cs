namespace FileTransfer.Chunks.Frames;

public enum FrameReadKind
{
    Run,

    /// <summary>The body ended after a whole frame. Whether all chunks came is for the receiver to say.</summary>
    End,

    /// <summary>The body is not made of frames of this file; nothing more is read from it.</summary>
    Fault,
}

public readonly record struct FrameRead(FrameReadKind Kind, ChunkRun Run, FrameFault? Fault);

public enum FrameFaultKind
{
    /// <summary>The body ends inside a frame, or its final frame has not the length of its chunk.</summary>
    Truncated,

    /// <summary>A chunk shorter than 1024 bytes is followed by more.</summary>
    ShortFrameInside,

    IdOutOfRange,

    /// <summary>More than twice the frames of the file.</summary>
    TooManyFrames,
}

/// <param name="ChunkId">The chunk id of the offending frame; null where the body ends before a whole id.</param>
public sealed record FrameFault(FrameFaultKind Kind, ulong? ChunkId, string Reason);
