namespace FileTransfer.Chunks;

/// <summary>A stored content is not what its name says, or cannot be read. What was sent of it is not to be completed.</summary>
public class ContentDamagedException(Fingerprint fingerprint, string reason, Exception? cause = null)
    : IOException($"The content {fingerprint} is damaged: {reason}.", cause)
{
    private const int NotPermitted = 1;
    private const int InputOutput = 5;
    private const int AccessDenied = 13;
    private const int IsFolder = 21;
    private const int NoData = 61;
    private const int BadMessage = 74;
    private const int NeedsCleaning = 117;

    public Fingerprint Fingerprint { get; } = fingerprint;

    /// <summary>What is wrong with it, as a part of a sentence.</summary>
    public string Reason { get; } = reason;

    /// <summary>Whether a failed open or read means a broken file: no access, bad blocks. Too many open files and the like do not.</summary>
    internal static bool IsDamage(Exception fault) =>
        fault is UnauthorizedAccessException
        || (
            fault is IOException and not ContentDamagedException
            && fault.HResult is NotPermitted or InputOutput or AccessDenied or IsFolder or NoData or BadMessage or NeedsCleaning
        );

    internal static ContentDamagedException Unreadable(Fingerprint fingerprint, Exception fault) =>
        new(fingerprint, $"it cannot be read ({fault.Message.TrimEnd('.')})", fault);
}

/// <summary>A stored content became shorter under its reader.</summary>
public sealed class ContentTruncatedException(Fingerprint fingerprint, long size, long endsAt)
    : ContentDamagedException(fingerprint, $"it ends at {endsAt} instead of {size} bytes");
