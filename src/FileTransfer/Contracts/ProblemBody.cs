using Microsoft.AspNetCore.Mvc;

namespace FileTransfer.Contracts;

/// <summary>A problem (RFC 9457) as a client reads it, with the extensions that name the leader and a chunk.</summary>
public sealed record ProblemBody(string? Type, string? Title, int? Status, string? Detail, string? LeaderUrl, long? Chunk = null)
{
    public static ProblemBody Of(ProblemDetails problem) =>
        new(
            problem.Type,
            problem.Title,
            problem.Status,
            problem.Detail,
            problem.Extensions.TryGetValue("leaderUrl", out var leader) ? leader as string : null
        );
}
