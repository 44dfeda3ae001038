using FileTransfer.Cluster;

namespace FileTransfer.Feed.Pull;

/// <summary>Answers requests that wait for the feed to grow: until it has, their time is over, their peer ends them, or the node stops.</summary>
internal sealed class SyncWait(
    OfferedFeed feed,
    FeedNews news,
    SyncRequests requests,
    ThisNode node,
    IHostApplicationLifetime lifetime
)
{
    private const int LongestWait = 60;

    /// <summary>Which peer asks: by the name of its token, or by its address where there are no tokens.</summary>
    public static string PeerOf(HttpContext context) =>
        context.User.Identity?.Name is { } name && name != AccessScopes.Anonymous
            ? name
            : $"{context.Connection.RemoteIpAddress}";

    public async Task<IResult> RunAsync<T>(
        HttpContext context,
        string? wait,
        Func<OfferedFeed, Task, CancellationToken, Task<T>> readAsync,
        Func<T, bool> isEnough,
        Func<T, ThisNode, IResult> answer
    )
    {
        wait ??= "0s";
        var number = wait.EndsWith('s') ? wait[..^1] : wait;
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > LongestWait)
        {
            return Problem.Of(ProblemTypes.BadRequest, $"wait={Problem.Quote(wait)} is not a wait; write 0s to {LongestWait}s.");
        }

        var id = context.Request.Headers[RequestHeader.Name].FirstOrDefault();
        if (id is "" or { Length: > RequestHeader.MostCharacters })
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"{RequestHeader.Name} is '{Problem.Quote(id)}'; write 1 to {RequestHeader.MostCharacters} characters."
            );
        }

        using var request = requests.TryBegin(id, PeerOf(context), context.RequestAborted, lifetime.ApplicationStopping);
        if (request is null)
        {
            return Problem.Of(
                ProblemTypes.RequestRunning,
                $"A request '{id}' is running; give each a name of its own, or end that one."
            );
        }

        var read = await news.ReadWhenAsync(
            heard => readAsync(feed, heard, context.RequestAborted),
            isEnough,
            TimeSpan.FromSeconds(seconds),
            request.Ended
        );
        return answer(read, node);
    }
}
