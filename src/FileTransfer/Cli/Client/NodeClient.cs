using System.Net.Http.Headers;
using System.Text.Json.Serialization.Metadata;
using FileTransfer.Contracts;
using FileTransfer.Http;

namespace FileTransfer.Cli.Client;

/// <summary>Speaks to one node. Every failure is a <see cref="NodeException"/> that says what can be done about it.</summary>
public sealed partial class NodeClient(Uri node, HttpClient http, TimeProvider time, TimeSpan stallPeriod)
{
    private static readonly TimeSpan _answerWithin = TimeSpan.FromSeconds(30);

    public Uri Node => node;

    public static HttpClient OpenHttp(string? token)
    {
        var handler = ClientHandler.Create();
        handler.Expect100ContinueTimeout = TimeSpan.FromSeconds(10);
        (handler.UseProxy, handler.Proxy) = (true, new NodeProxy(HttpClient.DefaultProxy));
        var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.ParseAdd("filetransfer");
        if (token is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return http;
    }

    internal static CliException InvalidAnswer(Uri address, JsonException fault) =>
        new(
            ExitCode.Failed,
            $"The answer of {address} is not what a FileTransfer node says: {fault.Message} Check --url.",
            fault
        );

    private Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Get, path, type, cancellationToken);

    private async Task<T> AskAsync<T>(
        HttpMethod method,
        string path,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken,
        HttpContent? body = null,
        TimeSpan? within = null
    )
    {
        using var response = await SendAsync(Request(method, path, body), cancellationToken, within);
        return await ReadBodyAsync(response, type, cancellationToken);
    }

    private async Task TellAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(Request(method, path), cancellationToken);
    }

    private HttpRequestMessage Request(HttpMethod method, string path, HttpContent? body = null) =>
        new(method, new Uri(node, path.TrimStart('/'))) { Content = body };

    private Task<T> ReadBodyAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        TranslateFaultsAsync(
            async () =>
            {
                using var stall = new IdleTimeout(time, _answerWithin, cancellationToken);
                try
                {
                    return await response.Content.ReadFromJsonAsync(type, stall.Token)
                        ?? throw new JsonException("The answer is null.");
                }
                catch (JsonException fault)
                {
                    throw InvalidAnswer(response.RequestMessage?.RequestUri ?? node, fault);
                }
            },
            cancellationToken
        );

    private Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken,
        TimeSpan? within = null
    ) =>
        TranslateFaultsAsync(
            async () =>
            {
                using var sent = request;
                using var stall = new IdleTimeout(time, within ?? _answerWithin, cancellationToken);
                var response = await http.SendAsync(sent, HttpCompletionOption.ResponseHeadersRead, stall.Token);
                await ThrowIfProblemAsync(response, stall.Token);
                return response;
            },
            cancellationToken
        );

    private async Task<T> TranslateFaultsAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work();
        }
        catch (Exception fault) when (NodeUnreachableReason.Of(fault, cancellationToken) is { } reason)
        {
            throw new NodeUnreachableException(node, reason, fault);
        }
    }

    private async Task ThrowIfProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        using (response)
        {
            var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            var body =
                TryRead(bytes, SparseJson.Default.ProblemBody) ?? new ProblemBody(null, response.ReasonPhrase, null, null, null);
            throw new NodeProblemException(node, response.StatusCode, body, ClientHandler.RetryAfterOf(response, time));
        }
    }

    private static T? TryRead<T>(byte[] body, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
