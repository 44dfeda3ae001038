using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http.Features;

namespace FileTransfer.Cluster.Peers;

/// <summary>Passes requests that only the leader answers on to it, as they come, and its answers back. See <see cref="NodeOptions.ForwardWrites"/>.</summary>
/// <remarks>
/// <para>The leader's address is the one of the leader row, nothing that the request says. The caller's own token goes along and the leader
/// decides what it may do; this node's token never does, so nobody can do more through a follower than at the leader.</para>
/// <para>A request is passed on once: a node that is sent one and does not lead says who does.</para>
/// </remarks>
internal sealed partial class WriteForwarder(
    ThisNode node,
    PeerClient peers,
    IOptions<NodeOptions> options,
    ILogger<WriteForwarder> logger
) : IDisposable
{
    public const string Header = "FileTransfer-Forwarded-By";

    private static readonly TimeSpan _toAnswer = TimeSpan.FromMinutes(5);

    /// <summary>What the leader needs to know of the caller's request beside its body.</summary>
    private static readonly string[] _passedOn = ["Authorization", NodeHeader.Name, "Accept", "User-Agent", "Prefer"];

    /// <summary>What is between this node and the leader, or is this node's to say.</summary>
    private static readonly string[] _keptBack = ["Connection", "Keep-Alive", "Transfer-Encoding", "Date", "Server"];

    private readonly HttpMessageInvoker _leader = new(Connections(node));

    /// <summary>Whether a request is passed on: this node is told to, nobody has passed it on before, and nothing of its body was read here.</summary>
    public bool Takes(HttpContext context) =>
        options.Value.ForwardWrites
        && !context.Request.Headers.ContainsKey(Header)
        && TransferMeter.Of(context) is null or { BytesReceived: 0 };

    public async Task<IResult> ForwardAsync(HttpContext context, LeaderRecord leader)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(_toAnswer);
        using var request = RequestTo(leader, context, patience);
        Log.Forwarded(logger, request.Method, context.Request.Path.ToUriComponent(), leader.Node.Value);
        try
        {
            if (!await peers.TrustsAsync(leader.Url, patience.Token))
            {
                throw new HttpRequestException("it does not prove that it knows this node's FileTransfer:NodeToken");
            }

            using var answer = await _leader.SendAsync(request, patience.Token);
            await PassBackAsync(answer, context, patience.Token);
            return Results.Empty;
        }
        catch (HttpRequestException e) when (e.InnerException is BadHttpRequestException ofCaller)
        {
            ExceptionDispatchInfo.Throw(ofCaller);
            throw;
        }
        catch (Exception e)
            when (!context.RequestAborted.IsCancellationRequested
                && !context.Response.HasStarted
                && e is HttpRequestException or IOException or OperationCanceledException
            )
        {
            context.Response.Headers.RetryAfter = "1";
            return Problem.Of(
                ProblemTypes.LeaderUnreachable,
                $"The leader '{leader.Node}' at {leader.Url.OriginalString} did not accept the request that '{node.Id}' forwarded "
                    + $"({e.Message.TrimEnd('.')}). Send it again; any part of an upload that arrived is kept.",
                ("leader", leader.Node.Value),
                ("leaderUrl", leader.Url.OriginalString)
            );
        }
    }

    public void Dispose() => _leader.Dispose();

    private static SocketsHttpHandler Connections(ThisNode node)
    {
        var handler = node.Connections(ClientHandler.Create());
        // Sent only when the leader asks for it: the caller waits for the same.
        handler.Expect100ContinueTimeout = TimeSpan.FromMinutes(1);
        return handler;
    }

    private HttpRequestMessage RequestTo(LeaderRecord leader, HttpContext context, CancellationTokenSource patience)
    {
        var from = context.Request;
        var target = leader.Url.AbsoluteUri.TrimEnd('/') + from.Path.ToUriComponent() + from.QueryString.ToUriComponent();
        var request = new HttpRequestMessage(new HttpMethod(from.Method), target);
        foreach (var name in _passedOn)
        {
            if (from.Headers.TryGetValue(name, out var values))
            {
                request.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
            }
        }

        request.Headers.TryAddWithoutValidation(Header, node.Id.Value);
        request.Headers.TryAddWithoutValidation(RequestIdHeader.Name, context.TraceIdentifier);
        request.Headers.ExpectContinue = from.Headers.Expect.Count > 0;
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true)
        {
            request.Content = new ForwardedBody(from.BodyReader, from.ContentLength, patience);
            if (from.ContentType is { } type)
            {
                request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            }
        }

        return request;
    }

    private static async Task PassBackAsync(HttpResponseMessage answer, HttpContext context, CancellationToken cancellationToken)
    {
        var response = context.Response;
        response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (!_keptBack.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                response.Headers[name] = values.ToArray();
            }
        }

        // What was not said by the leader is not said at all.
        response.ContentLength = answer.Content.Headers.ContentLength;
        await answer.Content.CopyToAsync(response.BodyWriter.AsStream(leaveOpen: true), cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(2140, LogLevel.Debug, "{Method} {Path}: forwarded to the leader {Leader}")]
        public static partial void Forwarded(ILogger logger, HttpMethod method, string path, string leader);
    }
}
