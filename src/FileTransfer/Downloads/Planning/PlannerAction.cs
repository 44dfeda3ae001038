using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads.Planning;

/// <summary>Something to do, asked for by the planner.</summary>
public abstract record PlannerAction
{
    private PlannerAction() { }

    /// <summary>Ask a source for a part of a file.</summary>
    public sealed record Fetch(RequestId Request, SourceId Source, FileKey File, FetchPart Part) : PlannerAction;

    /// <summary>End a request wherever it is; nothing it brings is waited for any more.</summary>
    public sealed record Cancel(RequestId Request, string Reason) : PlannerAction;

    /// <summary>Find out whether a source answers, with a small request for this file. No lane waits for it.</summary>
    /// <param name="Patience">How long it is waited for; an answer that comes later counts all the same.</param>
    public sealed record Probe(SourceId Source, FileKey File, TimeSpan Patience) : PlannerAction;

    /// <summary>
    /// All ranges of the chunk hashes are here: prove them against the fingerprint, and what is on disk with them. Ends with one
    /// <see cref="PlannerEvent.HashesKnown"/> or <see cref="PlannerEvent.HashesInvalid"/>.
    /// </summary>
    public sealed record ProveHashes(FileKey File) : PlannerAction;

    /// <summary>The file is no longer the planner's.</summary>
    public abstract record Ended(FileKey File) : PlannerAction;

    /// <summary>Every chunk of the file is here and proven.</summary>
    public sealed record Finish(FileKey File) : Ended(File);

    /// <summary>Nothing can be done for the file now: give its lane back, at no cost.</summary>
    public sealed record Defer(FileKey File, WaitCondition Kind, string Reason, TimeSpan RetryIn) : Ended(File);

    /// <summary>The attempt failed.</summary>
    /// <param name="Cause">Whose fault it was: the worst of what its sources did; null where its time was over.</param>
    /// <param name="HasAsked">A source was asked for something; where none was, there was no attempt.</param>
    /// <param name="RetryIn">How long who sent wrong bytes is to be left alone; null = as long as failures are.</param>
    public sealed record GiveUp(FileKey File, string Reason, SourceFaultKind? Cause, bool HasAsked, TimeSpan? RetryIn = null)
        : Ended(File);

    /// <summary>This source sent bytes that are not the file's.</summary>
    public sealed record ReportCorruption(SourceId Source, FileKey File, string Reason) : PlannerAction;

    /// <summary>This source is asked last from now on, for every file: it sent wrong bytes of several.</summary>
    public sealed record Demote(SourceId Source, int Files, TimeSpan For, string Reason) : PlannerAction;

    /// <summary>A source that deferred files wait for answers again.</summary>
    public sealed record Wake(SourceId Source) : PlannerAction;
}
