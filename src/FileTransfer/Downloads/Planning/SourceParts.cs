namespace FileTransfer.Downloads.Planning;

/// <summary>What a source has of a window that it downloads itself.</summary>
public enum PartState
{
    Missing,

    /// <summary>It is being sent the window: whoever asks for it is sent what comes as it comes.</summary>
    Coming,

    /// <summary>It has all of the window, proven.</summary>
    Here,
}

/// <summary>What a source has of a file that it downloads itself; it answers for that, and for nothing else.</summary>
internal sealed class SourceParts(int windows)
{
    public WindowSet Here { get; } = new(windows);

    public WindowSet Coming { get; } = new(windows);

    /// <summary>It has proven the chunk hashes, which come before everything else.</summary>
    public bool HasHashes { get; set; }

    public PartState StateOf(int window) =>
        Here.Contains(window) ? PartState.Here
        : Coming.Contains(window) ? PartState.Coming
        : PartState.Missing;

    public void Set(int window, PartState state)
    {
        Here.Remove(window);
        Coming.Remove(window);
        if (state != PartState.Missing)
        {
            (state == PartState.Here ? Here : Coming).Add(window);
        }
    }
}
