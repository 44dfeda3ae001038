namespace FileTransfer.Contracts;

/// <summary>A problem (RFC 9457) as a client reads it, with the extensions that name the leader and a chunk.</summary>
public sealed record ProblemBody(string? Type, string? Title, int? Status, string? Detail, string? LeaderUrl, long? Chunk = null);
