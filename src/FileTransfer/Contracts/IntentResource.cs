namespace FileTransfer.Contracts;

/// <summary>An intent as JSON, with where its file stands at this node.</summary>
/// <param name="Outcome"><c>stored</c>, <c>failed</c>, <c>removed</c> or <c>withdrawn</c>; null while the intent stands.</param>
/// <param name="State">This node's replica of the file; <c>absent</c> where there is none.</param>
/// <param name="Sources">The other nodes that have the file stored.</param>
/// <param name="Says">What that means, for a person.</param>
public sealed record IntentResource(
    Guid Id,
    string Key,
    string Node,
    string? Caller,
    DateTimeOffset AskedAt,
    DateTimeOffset? EndedAt,
    string? Outcome,
    string State,
    long BytesProven,
    long Size,
    string? Reason,
    IReadOnlyList<string> Sources,
    string Says
);
