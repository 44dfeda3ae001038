namespace FileTransfer.Contracts;

/// <summary>Why a file is not at this node, or that it is.</summary>
/// <param name="Says">Sentences for a person, the answer first.</param>
/// <param name="State">This node's replica; <c>absent</c> where there is none.</param>
/// <param name="WaitsFor">What ends the wait sooner than <c>nextAttemptAt</c>: <c>upload</c>, <c>provider</c>, <c>source</c> or <c>permit</c>.</param>
/// <param name="HolderHoldsLock">While it downloads: whether the database shows the holder's lock.</param>
/// <param name="Ahead">While it waits for a lane: how many files start before it; 1001 stands for more than 1000.</param>
/// <param name="FeedLag">Mutations of the file's bin that this node has not read yet.</param>
public sealed record ExplanationResource(
    string Key,
    string Node,
    IReadOnlyList<string> Says,
    string FileState,
    string State,
    long BytesProven,
    long Size,
    string? Reason,
    string? WaitsFor,
    int Attempts,
    int MaxAttempts,
    DateTimeOffset? NextAttemptAt,
    DateTimeOffset? WantedAt,
    DateTimeOffset? ChangedAt,
    long? Epoch,
    string? Holder,
    int? HolderPid,
    bool? HolderHoldsLock,
    int? Ahead,
    bool PolicyWants,
    long FeedLag,
    IReadOnlyList<SourceResource> Sources,
    IReadOnlyList<SourceTrialResource> Tried,
    IReadOnlyList<StandingIntentResource> Intents
);

/// <summary>A node that has the file stored.</summary>
/// <param name="Alive">It was heard of within the last 10 seconds.</param>
public sealed record SourceResource(string Source, bool Leads, bool Alive);

/// <summary>What a source last came to for the file; the latest is the last of them.</summary>
/// <param name="Times">How often it came to that in a row.</param>
public sealed record SourceTrialResource(string Source, string Outcome, DateTimeOffset At, int Times);

/// <summary>An intent that stands.</summary>
public sealed record StandingIntentResource(Guid Id, string? Caller, DateTimeOffset AskedAt);
