namespace FileTransfer.Downloads.Planning;

/// <summary>Why a request brought nothing, or not all.</summary>
public enum SourceFaultKind
{
    /// <summary>It cannot be reached, or the connection broke.</summary>
    Unreachable,

    /// <summary>It does not have the file.</summary>
    NotFound,

    /// <summary>It answered a request for a range with something else; a share is asked for whole contents from then on.</summary>
    NoRanges,

    /// <summary>It refuses to answer: credentials, or a fault of its own.</summary>
    Refused,

    /// <summary>It sends too slowly.</summary>
    Stalled,

    /// <summary>The body ended before all chunks had come.</summary>
    EndedEarly,

    /// <summary>It sent bytes that are not the file's.</summary>
    Corrupt,

    /// <summary>It wants to be left alone for a while: 429, or 503. Says nothing against the file.</summary>
    Throttled,

    /// <summary>It gives the content to another node now; asked again later it will give it. Not a fault.</summary>
    Busy,

    /// <summary>The fault is this node's own (its disk, a defect), not the source's.</summary>
    Local,
}

/// <summary>A source failed; the message names it.</summary>
/// <param name="retryAfter">What a source said that is busy, or wants to be left alone.</param>
/// <param name="damage">What is wrong with the copy that the source has, where it sent something else than the file.</param>
public sealed class SourceException(
    SourceFaultKind kind,
    string message,
    Exception? innerException = null,
    TimeSpan? retryAfter = null,
    DamageReport? damage = null
) : Exception(message, innerException)
{
    public SourceFaultKind Kind => kind;

    public TimeSpan? RetryAfter => retryAfter;

    public DamageReport? Damage => damage;
}
