using System.Collections.Concurrent;
using System.Text.Json;
using FileTransfer.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A static share of a test below <c>/share/</c>, which can misbehave in every way that a web server can.</summary>
internal sealed class FakeShare : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentDictionary<string, (TestFile File, byte[] Bytes)> _files = new();
    private readonly ConcurrentQueue<ShareRequest> _requests = new();

    private FakeShare(WebApplication server) => _server = server;

    public string Url => $"{_server.Urls.First()}/share/";

    /// <summary>Answers a request for a part of a file, <c>""</c>, <c>".hashes"</c> or <c>".json"</c>; false where it is answered as it should be.</summary>
    public Func<HttpContext, TestFile, string, Task<bool>> Misbehaves { get; set; } = static (_, _, _) => Task.FromResult(false);

    public bool HasRanges { get; set; } = true;

    public IReadOnlyCollection<ShareRequest> Requests => _requests;

    public static async Task<FakeShare> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var share = new FakeShare(builder.Build());
        share._server.Run(share.AnswerAsync);
        await share._server.StartAsync();
        return share;
    }

    /// <summary>The settings of a node that has these shares, by their names.</summary>
    public static (string, string)[] Settings(params (string Name, FakeShare Share)[] shares) =>
        [
            .. shares.SelectMany<(string Name, FakeShare Share), (string, string)>(
                (one, index) =>
                    [($"FileTransfer__Sources__{index}__Name", one.Name), ($"FileTransfer__Sources__{index}__Url", one.Share.Url)]
            ),
        ];

    public TestFile[] Add(params TestFile[] files)
    {
        foreach (var file in files)
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(FileDescription.Of(file.Metadata), SparseJson.Default.FileDescription);
            _files[file.Key.ToHex()] = (file, file.Content);
            _files[file.Key.ToHex() + ".hashes"] = (file, file.Hashes);
            _files[file.Key.ToHex() + ".json"] = (file, json);
        }

        return files;
    }

    /// <summary>Sends bytes as a web server does, in whole or the range that is asked for.</summary>
    public static async Task SendAsync(HttpContext context, byte[] body, bool hasRanges = true)
    {
        var (from, to) = (0L, body.Length - 1L);
        if (hasRanges && context.Request.GetTypedHeaders().Range?.Ranges.Single() is { } range)
        {
            (from, to) = (range.From!.Value, Math.Min(range.To!.Value, to));
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange = $"bytes {from}-{to}/{body.Length}";
        }

        context.Response.ContentLength = to - from + 1;
        await context.Response.Body.WriteAsync(body.AsMemory((int)from, (int)(to - from + 1)), context.RequestAborted);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        var path = context.Request.Path + context.Request.QueryString.Value;
        _requests.Enqueue(new ShareRequest(path, headers.Range, headers.Authorization));
        var name = context.Request.Path.Value!.Split('/')[^1];
        if (_files.GetValueOrDefault(name) is not (var file, { } bytes))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (!await Misbehaves(context, file, Path.GetExtension(name)))
        {
            await SendAsync(context, bytes, HasRanges);
        }
    }
}

/// <param name="Path">With its query.</param>
internal sealed record ShareRequest(string Path, string? Range, string? Authorization);
