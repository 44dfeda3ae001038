using System.Text.Json.Serialization.Metadata;
using FileTransfer.Cluster;
using FileTransfer.Cluster.Peers;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>What this cluster asks of an upstream, with the token for it: shown to the hosts it was configured for, and to no other.</summary>
/// <param name="here">This node, named with its cluster to those whom it asks.</param>
/// <remarks>Its URLs are tried in turn: after a fault, the next is asked.</remarks>
public sealed class UpstreamClient(UpstreamOptions upstream, TimeProvider time, ThisNode? here = null)
    : HttpMessageInvoker(here?.Connections(PeerClient.Connections()) ?? PeerClient.Connections())
{
    /// <summary>How long an answer may take beyond the wait that was asked for.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);

    private int _current;

    public Uri Url => upstream.Urls[_current % upstream.Urls.Count];

    public void TryNextUrl() => _current++;

    public override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (upstream.TokenFor(request.RequestUri!) is { } token)
        {
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        }

        if (here is not null)
        {
            request.Headers.TryAddWithoutValidation(NodeHeader.Name, here.Id.Value);
            request.Headers.TryAddWithoutValidation(NodeHeader.Cluster, here.ClusterId);
        }

        return base.SendAsync(request, cancellationToken);
    }

    /// <summary>Asks and reads the answer, which may wait for so long at the upstream.</summary>
    /// <returns>Null where the feed does not go back that far any more.</returns>
    /// <exception cref="UpstreamFaultException">It does not answer, or not with what was asked for.</exception>
    public Task<T?> GetAsync<T>(string path, TimeSpan wait, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class => AskAsync(HttpMethod.Get, path, null, wait, type, cancellationToken);

    /// <summary>Sends something and reads the answer, which may take so long.</summary>
    /// <exception cref="UpstreamFaultException">It does not answer, or not with what was asked for.</exception>
    public async Task<T> PostAsync<T>(
        string path,
        HttpContent body,
        TimeSpan wait,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    )
        where T : class =>
        await AskAsync(HttpMethod.Post, path, body, wait, type, cancellationToken)
        ?? throw new UpstreamFaultException("it answered 410");

    private async Task<T?> AskAsync<T>(
        HttpMethod method,
        string path,
        HttpContent? body,
        TimeSpan wait,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    )
        where T : class
    {
        using var patience = new CancellationTokenSource(wait + _patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        using var request = new HttpRequestMessage(method, new Uri(Url, path)) { Content = body };
        request.Headers.TryAddWithoutValidation(RequestHeader.Name, $"{Guid.NewGuid()}");
        try
        {
            using var answer = await SendAsync(request, either.Token);
            if (answer.StatusCode == HttpStatusCode.Gone)
            {
                return null;
            }

            if (!answer.IsSuccessStatusCode)
            {
                throw new UpstreamFaultException(
                    await WordsOfAsync(answer, either.Token),
                    IsOfAll(answer.StatusCode),
                    answer.StatusCode == HttpStatusCode.InsufficientStorage
                );
            }

            return await answer.Content.ReadFromJsonAsync(type, either.Token)
                ?? throw new UpstreamFaultException("it answered null");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException or NotSupportedException)
        {
            throw new UpstreamFaultException($"{e.Message.TrimEnd('.')}", IsOfAll(e));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UpstreamFaultException($"it did not answer within {(wait + _patience).TotalSeconds:0} s");
        }
    }

    private static async Task<string> WordsOfAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var problem =
            answer.Content.Headers.ContentType?.MediaType == Problem.ContentType
                ? await answer.Content.ReadFromJsonAsync(SparseJson.Default.ProblemBody, cancellationToken)
                : null;
        return $"it {ClientHandler.StatusOf(answer)}{(problem?.Detail is { } detail ? $": {detail.TrimEnd('.')}" : "")}";
    }

    /// <summary>What was asked for has no part in it.</summary>
    private static bool IsOfAll(Exception cause) =>
        cause
            is HttpRequestException
            {
                HttpRequestError: HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError
            };

    private static bool IsOfAll(HttpStatusCode status) =>
        status
            is HttpStatusCode.Unauthorized
                or HttpStatusCode.Forbidden
                or HttpStatusCode.BadGateway
                or HttpStatusCode.ServiceUnavailable
                or HttpStatusCode.GatewayTimeout;
}
