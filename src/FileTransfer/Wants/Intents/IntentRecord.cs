using FileTransfer.Catalog;

namespace FileTransfer.Wants.Intents;

/// <summary>How an intent ended.</summary>
public enum IntentOutcome
{
    /// <summary>The file is stored here.</summary>
    Stored,

    /// <summary>The attempts to bring it here are spent.</summary>
    Failed,

    /// <summary>The file was removed from the cluster.</summary>
    Removed,

    /// <summary>Its caller does not want the file any more.</summary>
    Withdrawn,
}

/// <summary>One caller's wish that this node has a file.</summary>
/// <param name="Caller">The name of the caller's token; null where there are none.</param>
/// <param name="Outcome">Null while it stands.</param>
/// <param name="Reason">Why it ended so, in words; null where the outcome says it all.</param>
public sealed record IntentRecord(
    Guid Id,
    FileKey File,
    string? Caller,
    DateTimeOffset AskedAt,
    DateTimeOffset? EndedAt,
    IntentOutcome? Outcome,
    string? Reason
);

/// <summary>What became of asking for a file.</summary>
/// <param name="File">Null: no file has the key.</param>
/// <param name="Intent">Null: there is no such file, or it was removed; or the id is that of another file's intent.</param>
/// <param name="WantsAnew">The file was not wanted here before, or not any more.</param>
/// <param name="IsTooMuch">The caller has as many open intents here as one may.</param>
public sealed record AskOutcome(FileRecord? File, IntentRecord? Intent, bool WantsAnew, bool IsTooMuch = false);

/// <summary>What became of withdrawing an intent.</summary>
/// <param name="Intent">Null: this node has no such intent for the file.</param>
/// <param name="Others">Intents for the file that still stand.</param>
/// <param name="GivesUp">It was the last, and nothing else wants the file here: its replica is given up.</param>
public sealed record WithdrawOutcome(IntentRecord? Intent, int Others, bool GivesUp);
