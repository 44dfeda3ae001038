using System.Net;
using System.Net.Sockets;
using System.Text;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Http;
using FileTransfer.Tests.Chunks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FileTransfer.Tests.Http;

/// <summary>Over a real Kestrel on a free loopback port.</summary>
public sealed class ContentResponseTests : IAsyncLifetime
{
    private const string Tag = "\"the-tag\"";

    private readonly TestStore _store = new();
    private readonly SampleContent _content = new((5 * 1024 * 1024) + 321);
    private readonly TaskCompletionSource<Exception?> _writerEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpClient _client = new();
    private WebApplication _server = null!;
    private byte[] _body = [];

    public async ValueTask InitializeAsync()
    {
        _store.Publish(_content);
        _body = _content.Frames();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        _server = builder.Build();
        _server.Run(ServeAsync);
        await _server.StartAsync();
        _client.BaseAddress = new Uri(_server.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        _store.Dispose();
    }

    [Fact]
    public async Task The_whole_is_sent_with_its_length_and_tag()
    {
        using var response = await SendAsync(HttpMethod.Get);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.ETag!.ToString().ShouldBe(Tag);
        response.Headers.AcceptRanges.ShouldBe(["bytes"]);
        response.Content.Headers.ContentLength.ShouldBe(_body.Length);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/octet-stream");
        response.Content.Headers.ContentRange.ShouldBeNull();
        (await BytesOf(response)).AsSpan().SequenceEqual(_body).ShouldBeTrue();
    }

    [Fact]
    public async Task HEAD_says_all_that_GET_says_and_ignores_the_range()
    {
        using var response = await SendAsync(HttpMethod.Head, ("Range", "bytes=0-9"));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.ETag!.ToString().ShouldBe(Tag);
        response.Headers.AcceptRanges.ShouldBe(["bytes"]);
        response.Content.Headers.ContentLength.ShouldBe(_body.Length);
        (await BytesOf(response)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("bytes=0-0")]
    [InlineData("bytes=1030-1040")]
    [InlineData("bytes=4000000-")]
    [InlineData("bytes=-1100")]
    public async Task A_range_is_sent_as_a_part(string range)
    {
        ByteRange.Read(range, _body.Length, out var expected);
        using var response = await SendAsync(HttpMethod.Get, ("Range", range), ("If-Range", Tag));
        response.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        response.Content.Headers.ContentRange!.ToString().ShouldBe(expected.ContentRangeOf(_body.Length));
        response.Content.Headers.ContentLength.ShouldBe(expected.Count);
        response.Headers.ETag!.ToString().ShouldBe(Tag);
        (await BytesOf(response)).AsSpan().SequenceEqual(_body.AsSpan((int)expected.Offset, (int)expected.Count)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("bytes=0-0,2-3")]
    [InlineData("bytes=5-2")]
    [InlineData("frames=0-1")]
    public async Task What_is_not_one_range_of_bytes_gets_the_whole(string range)
    {
        using var response = await SendAsync(HttpMethod.Get, ("Range", range));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await BytesOf(response)).Length.ShouldBe(_body.Length);
    }

    [Theory]
    [InlineData("bytes=-0")]
    [InlineData("bytes=99999999999999999999-")]
    public async Task A_range_of_nothing_is_answered_with_the_length(string range)
    {
        using var response = await SendAsync(HttpMethod.Get, ("Range", range));
        response.StatusCode.ShouldBe(HttpStatusCode.RequestedRangeNotSatisfiable);
        response.Content.Headers.ContentRange!.ToString().ShouldBe($"bytes */{_body.Length}");
        response.Headers.ETag!.ToString().ShouldBe(Tag);
        (await BytesOf(response)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    public async Task Preconditions_are_answered_without_content(string method)
    {
        using (var unchanged = await SendAsync(new HttpMethod(method), ("If-None-Match", $"W/{Tag}"), ("Range", "bytes=0-9")))
        {
            unchanged.StatusCode.ShouldBe(HttpStatusCode.NotModified);
            unchanged.Headers.ETag!.ToString().ShouldBe(Tag);
            (await BytesOf(unchanged)).ShouldBeEmpty();
        }

        using var failed = await SendAsync(new HttpMethod(method), ("If-Match", "\"other\""));
        failed.StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
        (await BytesOf(failed)).ShouldBeEmpty();
    }

    [Fact]
    public async Task One_connection_serves_many_answers()
    {
        for (var i = 0; i < 20; i++)
        {
            using var response = await SendAsync(HttpMethod.Get, ("Range", $"bytes={i * 5}-{(i * 5) + 2000}"));
            (await BytesOf(response)).ShouldBe(_body[(i * 5)..((i * 5) + 2001)]);
        }
    }

    [Fact]
    public async Task A_content_that_fails_in_the_middle_breaks_the_connection()
    {
        using (var file = new FileStream(_store.ContentPath(_content.Fingerprint), FileMode.Open, FileAccess.ReadWrite))
        {
            file.SetLength(3 * 1024 * 1024);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, "/?size=full");
        using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        await Should.ThrowAsync<HttpRequestException>(async () => await BytesOf(response));
        (await _writerEnded.Task).ShouldBeOfType<ContentTruncatedException>();
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_the_writing()
    {
        using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp))
        {
            await socket.ConnectAsync(IPAddress.Loopback, _client.BaseAddress!.Port);
            await socket.SendAsync(Encoding.ASCII.GetBytes("GET /?endless HTTP/1.1\r\nHost: a\r\n\r\n"));
            (await socket.ReceiveAsync(new byte[1000])).ShouldBeGreaterThan(0);
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        (await _writerEnded.Task.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeAssignableTo<OperationCanceledException>();
    }

    private async Task ServeAsync(HttpContext context)
    {
        using var content = _store.Store.TryOpen(_content.Fingerprint)!;
        var isEndless = context.Request.Query.ContainsKey("endless");
        var size = context.Request.Query.ContainsKey("size") ? _content.Data.Length : content.Size;
        var length = isEndless ? long.MaxValue / 2 : ChunkFrame.BodyLength(size);
        var representation = new Representation(Tag, length);
        await ContentResponse.ServeAsync(
            context,
            representation,
            representation.AnswerTo(context.Request),
            async (output, offset, count, gone) =>
            {
                try
                {
                    // A content cut off after it was opened: its reader knows the size it had.
                    do
                    {
                        var written = Math.Min(count, ChunkFrame.BodyLength(content.Size));
                        await FramedContent.WriteAsync(content, output, offset, written, gone);
                        count -= written;
                    } while (isEndless);

                    if (count > 0)
                    {
                        throw new ContentTruncatedException(content.Fingerprint, size, content.Size);
                    }
                }
                catch (Exception exception)
                {
                    _writerEnded.TrySetResult(exception);
                    throw;
                }
            }
        );
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, "/");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        }

        return await _client.SendAsync(request);
    }

    private static Task<byte[]> BytesOf(HttpResponseMessage response) => response.Content.ReadAsByteArrayAsync();
}
