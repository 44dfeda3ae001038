using FileTransfer.Feed;

namespace FileTransfer.Uploads;

public abstract record UploadOutcome
{
    private UploadOutcome() { }

    public static UploadOutcome Of(UploadCommit commit) => commit == UploadCommit.Removed ? new Removed() : new Stored();

    /// <summary>Proven, durable and committed, by this upload or before it.</summary>
    public sealed record Stored : UploadOutcome;

    /// <summary>The body is not this file's; <paramref name="Chunk"/> names the chunk at fault where one can be named.</summary>
    public sealed record Invalid(string Reason, ulong? Chunk) : UploadOutcome;

    /// <summary>All chunks came, but they make another content.</summary>
    public sealed record OtherContent : UploadOutcome;

    /// <summary>The file was removed while its content came.</summary>
    public sealed record Removed : UploadOutcome;
}
