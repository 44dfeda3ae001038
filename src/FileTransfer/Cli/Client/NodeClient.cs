using System.Net.Http.Headers;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Client;

/// <summary>Speaks to one node until a token ends it. Every failure is a <see cref="NodeException"/> that says what can be done about it.</summary>
public sealed partial class NodeClient(
    Uri node,
    HttpClient http,
    TimeProvider time,
    TimeSpan stallPeriod,
    CancellationToken cancellationToken
)
{
    /// <summary>
    /// What goes over a million files is answered when it is done. A line may wait for a large content to be hashed, the first for all of
    /// them to be sorted.
    /// </summary>
    public static readonly TimeSpan LongWithin = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan _answerWithin = TimeSpan.FromSeconds(30);

    public Uri Node => node;

    /// <param name="certificate">Shown to the nodes; its file is read at once.</param>
    /// <param name="authority">Whose nodes are believed; null = those of the system.</param>
    public static HttpClient OpenHttp(string? token, CertificateFile? certificate = null, AuthorityFile? authority = null)
    {
        (_, _) = (certificate?.Context, authority?.Certificates);
        var handler = ClientHandler.Create().WithoutLocalLinks();
        handler.Expect100ContinueTimeout = TimeSpan.FromSeconds(10);
        (handler.UseProxy, handler.Proxy) = (true, new NodeProxy(HttpClient.DefaultProxy));
        CertificateFiles.Show(handler, certificate, authority);
        var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.ParseAdd("filetransfer");
        if (Environment.GetEnvironmentVariable("TRACEPARENT") is { Length: > 0 } trace)
        {
            http.DefaultRequestHeaders.TryAddWithoutValidation("traceparent", trace);
        }

        if (token is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return http;
    }

    public Task<T> GetAsync<T>(string path) => AskAsync<T>(HttpMethod.Get, path);

    /// <param name="within">How long the answer may take.</param>
    public async Task<T> AskAsync<T>(HttpMethod method, string path, HttpContent? body = null, TimeSpan? within = null)
    {
        using var response = await SendAsync(Request(method, path, body), within);
        return await ReadBodyAsync<T>(response);
    }

    /// <returns>Null where the answer is that there is nothing to say (204).</returns>
    public async Task<T?> FindAsync<T>(HttpMethod method, string path)
        where T : class
    {
        using var response = await SendAsync(Request(method, path));
        return response.StatusCode == HttpStatusCode.NoContent ? null : await ReadBodyAsync<T>(response);
    }

    public async Task TellAsync(HttpMethod method, string path)
    {
        using var response = await SendAsync(Request(method, path));
    }

    public static HttpContent Json<T>(T body) => JsonContent.Create(body, CliJson.Of<T>());

    internal static CliException InvalidAnswer(Uri address, JsonException fault) =>
        new(
            ExitCode.Failed,
            $"The answer of {address} is not what a FileTransfer node says: {fault.Message} Check --url.",
            fault
        );

    private HttpRequestMessage Request(HttpMethod method, string path, HttpContent? body = null) =>
        new(method, new Uri(node, path.TrimStart('/'))) { Content = body };

    private Task<T> ReadBodyAsync<T>(HttpResponseMessage response) =>
        TranslateFaultsAsync(async () =>
        {
            using var stall = new IdleTimeout(time, _answerWithin, cancellationToken);
            try
            {
                return await response.Content.ReadFromJsonAsync(CliJson.Of<T>(), stall.Token)
                    ?? throw new JsonException("The answer is null.");
            }
            catch (JsonException fault)
            {
                throw InvalidAnswer(response.RequestMessage?.RequestUri ?? node, fault);
            }
        });

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, TimeSpan? within = null) =>
        TranslateFaultsAsync(async () =>
        {
            using var sent = request;
            using var stall = new IdleTimeout(time, within ?? _answerWithin, cancellationToken);
            var response = await http.SendAsync(sent, HttpCompletionOption.ResponseHeadersRead, stall.Token);
            await ThrowIfProblemAsync(response, stall.Token);
            return response;
        });

    private async Task<T> TranslateFaultsAsync<T>(Func<Task<T>> work)
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

    private async Task ThrowIfProblemAsync(HttpResponseMessage response, CancellationToken stall)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        using (response)
        {
            var bytes = await response.Content.ReadAsByteArrayAsync(stall);
            var redirect = ClientHandler.RedirectOf(response) is null
                ? null
                : $"{node.Display()} {ClientHandler.StatusOf(response)} as --url.";
            var body = TryRead<ProblemBody>(bytes) ?? new ProblemBody(null, response.ReasonPhrase, null, redirect, null);
            throw new NodeProblemException(node, response.StatusCode, body, ClientHandler.RetryAfterOf(response, time));
        }
    }

    private static T? TryRead<T>(byte[] body)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body, CliJson.Of<T>());
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
