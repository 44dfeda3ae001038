namespace FileTransfer.Chunks;

public abstract record ContentFinding
{
    private ContentFinding() { }

    /// <summary>It is what its name says.</summary>
    /// <param name="HashesMended">Its chunk hashes on disk were missing or wrong and have been computed again.</param>
    public sealed record Intact(long Size, bool HashesMended) : ContentFinding;

    /// <summary>It is not what its name says, or cannot be read.</summary>
    /// <param name="Reason">As a part of a sentence.</param>
    public sealed record Damaged(string Reason) : ContentFinding;

    public sealed record Absent : ContentFinding;
}
