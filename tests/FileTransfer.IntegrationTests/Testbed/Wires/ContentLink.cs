using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Testbed.Wires;

/// <summary>A content that a node sent whole.</summary>
/// <param name="Key">With <c>0x</c>, however it was asked for.</param>
/// <param name="To">The node that asked.</param>
/// <param name="Asked">When it did.</param>
internal sealed record SentContent(string To, string Key, DateTime Asked, DateTime At);

/// <summary>The link between a node and all who ask it, at its address: can be cut and slowed, and knows which contents went through whole.</summary>
internal sealed class ContentLink : IAsyncDisposable
{
    private static readonly string[] _ofConnections = ["Connection", "Transfer-Encoding", "Keep-Alive", "Host"];

    private readonly WebApplication _server;
    private readonly HttpClient _client = new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
        }
    )
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };
    private volatile CancellationTokenSource _whole = new();
    private volatile Uri? _node;

    private ContentLink(WebApplication server, Uri address) => (_server, Address) = (server, address);

    public Uri Address { get; }

    public ConcurrentQueue<SentContent> Sent { get; } = new();

    /// <summary>How long each part of an answer, at most 16 KiB, is held.</summary>
    public TimeSpan Delay { get; set; }

    public static async Task<ContentLink> StartAsync()
    {
        var address = new Uri($"http://127.0.0.1:{PortOfOwn.Next()}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(address.ToString()).ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var server = builder.Build();
        var link = new ContentLink(server, address);
        server.Run(link.ForwardAsync);
        await server.StartAsync();
        return link;
    }

    /// <summary>Where everything goes.</summary>
    public void LeadTo(Uri node) => _node = node;

    /// <summary>Ends what is under way, and all that comes until <see cref="Mend"/>.</summary>
    public void Cut() => _whole.Cancel();

    public void Mend() => _whole = new CancellationTokenSource();

    public async ValueTask DisposeAsync()
    {
        Cut();
        await _server.DisposeAsync();
        _client.Dispose();
    }

    private async Task ForwardAsync(HttpContext context)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _whole.Token);
        try
        {
            ended.Token.ThrowIfCancellationRequested();
            var asked = DateTime.UtcNow;
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, ended.Token);
            using var request = RequestOf(context.Request, body.ToArray());
            using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ended.Token);
            context.Response.StatusCode = (int)answer.StatusCode;
            foreach (
                var (name, values) in answer.Headers.Concat(answer.Content.Headers).Where(h => !_ofConnections.Contains(h.Key))
            )
            {
                context.Response.Headers[name] = values.ToArray();
            }

            var contents = WatchOf(context.Request, body.ToArray(), answer, asked);
            await using var from = await answer.Content.ReadAsStreamAsync(ended.Token);
            var buffer = new byte[16 * 1024];
            for (int read; (read = await from.ReadAsync(buffer, ended.Token)) > 0; )
            {
                await Task.Delay(Delay, ended.Token);
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), ended.Token);
                await context.Response.Body.FlushAsync(ended.Token);
                contents?.Pass(buffer.AsSpan(0, read));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException)
        {
            context.Abort();
        }
    }

    private HttpRequestMessage RequestOf(HttpRequest asked, byte[] body)
    {
        var request = new HttpRequestMessage(
            new HttpMethod(asked.Method),
            new Uri(_node ?? throw new HttpRequestException("there is no node yet"), $"{asked.Path}{asked.QueryString}")
        );
        if (body.Length > 0 || asked.ContentLength is not null)
        {
            request.Content = new ByteArrayContent(body);
        }

        foreach (var (name, value) in asked.Headers.Where(h => !_ofConnections.Contains(h.Key) && h.Key != "Content-Length"))
        {
            if (!request.Headers.TryAddWithoutValidation(name, value.ToArray()))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, value.ToArray());
            }
        }

        return request;
    }

    /// <summary>What counts the contents of an answer to a node; null where it has none. A frame alone is how a node is found to answer.</summary>
    private Watch? WatchOf(HttpRequest asked, byte[] body, HttpResponseMessage answer, DateTime at)
    {
        if (asked.Headers["FileTransfer-Node"].ToString() is not { Length: > 0 } to || !answer.IsSuccessStatusCode)
        {
            return null;
        }

        var path = asked.Path.Value!.Split('/');
        if (path is ["", "v1", "sync", "deliveries"])
        {
            var keys = JsonDocument.Parse(body).RootElement.GetProperty("want").EnumerateArray().Select(key => key.GetString()!);
            return new Watch(this, to, at, new Queue<string>(keys), null);
        }

        var one = path switch
        {
            ["", "v1", "files", var key, "content"] => key,
            ["", "download", var key] => key,
            _ => null,
        };
        var isProbe = answer.StatusCode == HttpStatusCode.PartialContent && answer.Content.Headers.ContentLength <= 1032;
        return one is not null && asked.Method == "GET" && !isProbe
            ? new Watch(this, to, at, new Queue<string>([one]), answer.Content.Headers.ContentLength)
            : null;
    }

    /// <summary>Follows the bytes of an answer: each content with its size before it, or one of a length.</summary>
    private sealed class Watch(ContentLink link, string to, DateTime asked, Queue<string> keys, long? length)
    {
        private readonly List<byte> _size = [];
        private long _left = length ?? 0;
        private bool _isInContent = length is not null;

        public void Pass(ReadOnlySpan<byte> bytes)
        {
            while (bytes.Length > 0)
            {
                if (_isInContent)
                {
                    var passed = (int)Math.Min(_left, bytes.Length);
                    _left -= passed;
                    bytes = bytes[passed..];
                }
                else
                {
                    _size.Add(bytes[0]);
                    bytes = bytes[1..];
                    if (_size.Count < sizeof(long))
                    {
                        continue;
                    }

                    _left = BinaryPrimitives.ReadInt64LittleEndian(_size.ToArray());
                    _isInContent = _left >= 0;
                    _size.Clear();
                    if (!_isInContent)
                    {
                        keys.Dequeue();
                    }
                }

                if (_isInContent && _left == 0)
                {
                    link.Sent.Enqueue(new SentContent(to, $"0x{keys.Dequeue()[^64..]}", asked, DateTime.UtcNow));
                    _isInContent = false;
                }
            }
        }
    }
}
