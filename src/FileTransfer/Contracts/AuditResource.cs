namespace FileTransfer.Contracts;

/// <summary>Who changed something in the cluster, was refused, or used a token; the newest first.</summary>
/// <param name="Next">Where the next page begins, as <c>before</c>; null behind the oldest entry.</param>
public sealed record AuditResource(IReadOnlyList<AuditEntryResource> Entries, long? Next);

/// <summary>One request, or several that are told once.</summary>
/// <param name="Id" example="1742">Grows with each entry.</param>
/// <param name="At">When it was answered.</param>
/// <param name="Node" example="node-a">The node that answered.</param>
/// <param name="Who" example="operator">The name of the token; null where none was known.</param>
/// <param name="Address" example="10.0.0.7">Where it came from.</param>
/// <param name="Action" example="DELETE /v1/files/{key}">Method and route; <c>token</c> for the use of a token, <c>doubt</c> for an address where no node proved itself.</param>
/// <param name="Target" example="/v1/files/0x3f…">The path that was asked for, with its query.</param>
/// <param name="Status" example="204">The status of the answer.</param>
/// <param name="Problem" example="file-unknown">Why it was refused; null where it was not.</param>
/// <param name="RequestId" example="0HN7:00000001">As on the request's lines in the node's log.</param>
/// <param name="TraceId" example="4bf92f3577b34da6a3ce929d0e0e4736">Of the trace that the request was a part of.</param>
/// <param name="Times" example="1">How many requests were refused so, of one caller in one minute: the entry is the first of them.</param>
public sealed record AuditEntryResource(
    long Id,
    DateTimeOffset At,
    string Node,
    string? Who,
    string? Address,
    string Action,
    string Target,
    int Status,
    string? Problem,
    string RequestId,
    string? TraceId,
    int Times
);
