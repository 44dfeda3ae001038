using FileTransfer.Chunks;

namespace FileTransfer.Downloads.Progress;

/// <summary>Something that happened to this node's replica of a file.</summary>
/// <param name="Source">The source it has to do with, as it is written for people; null where there is none.</param>
/// <param name="BytesProven">Of the whole content, at the time of the event.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="Ranges">With <see cref="DownloadEventKind.Proven"/>: the chunks that were proven since the last such event.</param>
public sealed record DownloadEvent(
    FileKey File,
    DownloadEventKind Kind,
    string? Source,
    long BytesProven,
    long Size,
    string? Reason,
    IReadOnlyList<ChunkRange>? Ranges
);

public enum DownloadEventKind
{
    /// <summary>The file is to be downloaded.</summary>
    Wanted,

    /// <summary>Its content was here already: no source is asked.</summary>
    FoundLocally,

    /// <summary>A source answered and sends.</summary>
    Connected,

    /// <summary>Chunks were proven.</summary>
    Proven,

    /// <summary>A source was given up or another one took over.</summary>
    SourceChanged,

    /// <summary>The download waits for what the reason names; it starts again by itself.</summary>
    Deferred,

    /// <summary>Stored: whole, proven and durable.</summary>
    Done,

    /// <summary>An attempt failed. With the last one the replica is failed, and waits for another source or a person.</summary>
    Failed,

    /// <summary>Its content was stored and is not right any more, or gone: it was set aside and is to be downloaded again.</summary>
    Damaged,

    /// <summary>Not wanted here any more, or removed from the cluster.</summary>
    Withdrawn,
}
