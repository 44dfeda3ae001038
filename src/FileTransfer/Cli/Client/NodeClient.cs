using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FileTransfer.Chunks.Frames;
using FileTransfer.Contracts;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Cli.Client;

/// <summary>Speaks to one node. Every failure is a <see cref="NodeException"/> that says what can be done about it.</summary>
public sealed partial class NodeClient(Uri node, HttpClient http, TimeProvider time, TimeSpan stallPeriod)
{
    private static readonly TimeSpan _answerWithin = TimeSpan.FromSeconds(30);

    /// <summary>After the last byte of an upload the node proves and syncs the whole content; this is the slowest disk that is waited for.</summary>
    private const long SlowestDiskBytesPerSecond = 10_000_000;

    public Uri Node => node;

    public static HttpClient OpenHttp(string? token)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            Expect100ContinueTimeout = TimeSpan.FromSeconds(10),
            UseCookies = false,
            Proxy = new NodeProxy(HttpClient.DefaultProxy),
        };
        var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.ParseAdd("filetransfer");
        if (token is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return http;
    }

    /// <summary>Registers a file. What was known before may have been sent in part.</summary>
    public async Task<(FileResource File, bool IsNew)> RegisterAsync(
        FileKey key,
        FileMetadata metadata,
        CancellationToken cancellationToken
    )
    {
        using var request = Request(HttpMethod.Put, $"v1/files/{key}");
        request.Content = JsonContent.Create(FileRegistration.Of(metadata), SparseJson.Default.FileRegistration);
        using var response = await SendAsync(request, _answerWithin, cancellationToken);
        var file = await ReadBodyAsync(response, SparseJson.Default.FileResource, cancellationToken);
        return (file, response.StatusCode == HttpStatusCode.Created);
    }

    /// <summary>Asks with an upload of nothing which chunk of a content is the first that the node has not kept; null when it has them all, and stores it.</summary>
    public async Task<long?> FindMissingChunkAsync(FileKey key, long size, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Post, $"upload/{key}");
        request.Content = new ByteArrayContent([]);
        try
        {
            // What was kept is proven first, and stored when nothing is missing.
            using var response = await SendAsync(request, AnswerToUploadWithin(size), cancellationToken);
            return null;
        }
        catch (NodeProblemException problem) when (problem.IsUploadUnfinished)
        {
            return problem.Chunk;
        }
    }

    /// <summary>Size and fingerprint of the content that the node serves under a key, as its headers say: no database is asked for them.</summary>
    public async Task<(long Size, Fingerprint Fingerprint)?> FindContentAsync(FileKey key, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Head, $"v1/files/{key}/content");
        using var response = await SendAsync(request, _answerWithin, cancellationToken);
        return
            response.Content.Headers.ContentLength is > 0 and var size
            && Fingerprint.TryParse(response.Headers.ETag?.Tag.Trim('"'), out var fingerprint)
            ? (size, fingerprint)
            : null;
    }

    /// <summary>The chunk hashes of a content; they prove nothing before their root is its fingerprint.</summary>
    public async Task<ChunkHashes> GetHashesAsync(FileKey key, long size, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, $"v1/files/{key}/hashes");
        using var response = await SendAsync(request, _answerWithin, cancellationToken);
        using var stall = new IdleTimeout(time, stallPeriod, cancellationToken);
        var hashes = ChunkHashes.Create(size);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(stall.Token);
            var piece = new byte[64 * 1024];
            for (var offset = 0L; offset < hashes.EncodedLength; )
            {
                var part = piece.AsMemory(0, (int)Math.Min(piece.Length, hashes.EncodedLength - offset));
                await body.ReadExactlyAsync(part, stall.Token);
                stall.Moved();
                hashes.WriteEncoded(offset, part.Span);
                offset += part.Length;
            }

            return hashes;
        }
        catch (Exception fault)
        {
            hashes.Dispose();
            throw NodeUnreachableReason.Of(fault, cancellationToken) is { } reason
                ? new NodeUnreachableException(node, reason, fault)
                : fault;
        }
    }

    /// <summary>Takes a dead node out of the cluster.</summary>
    public async Task<NodeRemovalResource> RemoveNodeAsync(string name, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, $"v1/nodes/{Uri.EscapeDataString(name)}");
        return await ReadAsync(request, SparseJson.Default.NodeRemovalResource, cancellationToken, _reviewWithin);
    }

    public Task<FileResource> GetFileAsync(FileKey key, CancellationToken cancellationToken) =>
        GetAsync($"v1/files/{key}", SparseJson.Default.FileResource, cancellationToken);

    public Task<ClusterResource> GetNodesAsync(CancellationToken cancellationToken) =>
        GetAsync("v1/nodes", SparseJson.Default.ClusterResource, cancellationToken);

    /// <summary>The leader, or null while there is none.</summary>
    public async Task<LeaderResource?> FindLeaderAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await GetAsync("v1/leader", SparseJson.Default.LeaderResource, cancellationToken);
        }
        catch (NodeProblemException problem) when (problem.Status == HttpStatusCode.ServiceUnavailable)
        {
            return null;
        }
    }

    public async Task RemoveAsync(FileKey key, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, $"v1/files/{key}");
        using var response = await SendAsync(request, _answerWithin, cancellationToken);
    }

    /// <summary>Sends a content as frames. A node that wants none of it says so before the first is sent.</summary>
    public async Task UploadAsync(FileKey key, FramedUpload content, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Post, $"upload/{key}");
        request.Headers.ExpectContinue = true;
        request.Content = content;

        // While the body moves, only standing still ends it; the limit on the answer begins with its last byte.
        using var stall = new IdleTimeout(time, stallPeriod, cancellationToken);
        content.Watch = stall;
        content.AnswerWithin = AnswerToUploadWithin(content.Size);
        stall.Rearm(_answerWithin);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token);
            await ThrowIfProblemAsync(response, stall.Token);
        }
        catch (Exception) when (content.LocalFault is { } local)
        {
            throw new CliException(ExitCode.Failed, local.Message, local);
        }
        catch (Exception fault) when (NodeUnreachableReason.Of(fault, cancellationToken) is { } reason)
        {
            throw new NodeUnreachableException(node, reason, fault);
        }
    }

    /// <summary>The content as frames from <paramref name="firstChunk"/> on; from chunk 0 where the node does not do ranges.</summary>
    public async Task<DownloadBody> DownloadAsync(FileKey key, long size, long firstChunk, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, $"download/{key}");
        if (firstChunk > 0)
        {
            request.Headers.Range = new RangeHeaderValue(firstChunk * ChunkFrame.Length, to: null);
        }

        var response = await SendAsync(request, _answerWithin, cancellationToken);
        var from = response.Content.Headers.ContentRange?.From ?? 0;
        if (response.StatusCode == HttpStatusCode.PartialContent && from != firstChunk * ChunkFrame.Length)
        {
            response.Dispose();
            throw new NodeContradictionException(
                node,
                $"{node.Display()} sent {key} from byte {from}; byte {firstChunk * ChunkFrame.Length} was asked for."
            );
        }

        var first = response.StatusCode == HttpStatusCode.PartialContent ? firstChunk : 0;
        return await DownloadBody.OpenAsync(node, response, size, first, time, stallPeriod, cancellationToken);
    }

    /// <summary>The health route's status code and what it says; a node that is not ready answers 503.</summary>
    public async Task<(HttpStatusCode Status, HealthAnswer? Health)> GetHealthAsync(
        string route,
        TimeSpan within,
        CancellationToken cancellationToken
    )
    {
        using var request = Request(HttpMethod.Get, route);
        using var stall = new IdleTimeout(time, within, cancellationToken);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, stall.Token);
            var body = await response.Content.ReadAsByteArrayAsync(stall.Token);
            return (response.StatusCode, TryRead(body, SparseJson.Default.HealthAnswer));
        }
        catch (Exception fault) when (NodeUnreachableReason.Of(fault, cancellationToken) is { } reason)
        {
            throw new NodeUnreachableException(node, reason, fault);
        }
    }

    private static TimeSpan AnswerToUploadWithin(long size) =>
        (2 * _answerWithin) + TimeSpan.FromSeconds(size / SlowestDiskBytesPerSecond);

    private HttpRequestMessage Request(HttpMethod method, string path) => new(method, new Uri(node, path));

    private async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, path);
        return await ReadAsync(request, type, cancellationToken);
    }

    private async Task<T> ReadAsync<T>(
        HttpRequestMessage request,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken,
        TimeSpan? within = null
    )
    {
        using var response = await SendAsync(request, within ?? _answerWithin, cancellationToken);
        return await ReadBodyAsync(response, type, cancellationToken);
    }

    private async Task<T> ReadBodyAsync<T>(
        HttpResponseMessage response,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    )
    {
        using var stall = new IdleTimeout(time, _answerWithin, cancellationToken);
        try
        {
            return await response.Content.ReadFromJsonAsync(type, stall.Token) ?? throw new JsonException("The answer is null.");
        }
        catch (JsonException fault)
        {
            throw Nonsense(response.RequestMessage?.RequestUri ?? node, fault);
        }
        catch (Exception fault) when (NodeUnreachableReason.Of(fault, cancellationToken) is { } reason)
        {
            throw new NodeUnreachableException(node, reason, fault);
        }
    }

    internal static CliException Nonsense(Uri address, JsonException fault) =>
        new(
            ExitCode.Failed,
            $"The answer of {address} is not what a FileTransfer node says: {fault.Message} Check --url.",
            fault
        );

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        TimeSpan within,
        CancellationToken cancellationToken
    )
    {
        using var stall = new IdleTimeout(time, within, cancellationToken);
        try
        {
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token);
            await ThrowIfProblemAsync(response, stall.Token);
            return response;
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
            var retryAfter = response.Headers.RetryAfter switch
            {
                { Delta: { } delta } => delta,
                { Date: { } date } => date - time.GetUtcNow(),
                _ => (TimeSpan?)null,
            };
            throw new NodeProblemException(node, response.StatusCode, body, retryAfter);
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
