namespace FileTransfer.Downloads.Sources;

/// <summary>What was wrong with a source.</summary>
public enum SourceFaultKind
{
    /// <summary>It cannot be reached, or the connection broke.</summary>
    Unreachable,

    /// <summary>It does not have the file.</summary>
    NotFound,

    /// <summary>It refuses to answer: credentials, or a fault of its own.</summary>
    Refused,

    /// <summary>It sends too slowly.</summary>
    Stalled,

    /// <summary>The body ended before all chunks had come.</summary>
    EndedEarly,

    /// <summary>It sent bytes that are not the file's.</summary>
    Lied,
}

/// <summary>A source failed; the message names it.</summary>
public sealed class SourceException(SourceFaultKind kind, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public SourceFaultKind Kind => kind;
}
