using System.Collections.Concurrent;
using FileTransfer.Chunks;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>A node of the catalog that the test plays: it answers as a source does, and misbehaves when told to. It counts what it sends.</summary>
internal sealed class FakeSource : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly TestDatabase _database;
    private readonly ConcurrentDictionary<FileKey, byte[]> _contents = new();
    private long _bytesSent;
    private int _requests;

    private FakeSource(WebApplication server, TestDatabase database, string id)
    {
        _server = server;
        _database = database;
        Id = id;
    }

    public string Id { get; }

    /// <summary>Bytes of framed bodies sent so far.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Bodies of chunks that were asked for so far.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Bodies that are being sent now.</summary>
    public int Open => _open;

    private int _open;

    /// <summary>Per body; 0 = as fast as it goes.</summary>
    public int BytesPerSecond { get; set; }

    /// <summary>Answers this and nothing else.</summary>
    public int? Status { get; set; }

    /// <summary>Sends this chunk with one bit turned.</summary>
    public long? LiesAtChunk { get; set; }

    public bool SendsOtherHashes { get; set; }

    /// <summary>After so many bytes of all bodies together it sends nothing more, and keeps the connection open.</summary>
    public long? SilentAfter { get; set; }

    /// <summary>After so many bytes of a body it closes the connection.</summary>
    public long? ClosesAfter { get; set; }

    public static async Task<FakeSource> StartAsync(TestDatabase database, string id)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        var source = new FakeSource(server, database, id);
        server.UseRouting();
        server.MapGet("/v1/files/{key}/hashes", source.SendHashesAsync);
        server.MapGet("/download/{key}", source.SendChunksAsync);
        await server.StartAsync();
        await RegisterNodeAsync(database, id, server.Urls.First());
        return source;
    }

    /// <summary>Makes a node known that is heard of now.</summary>
    public static Task RegisterNodeAsync(TestDatabase database, string id, string url) =>
        database.ExecuteAsync(
            $"""
            INSERT INTO filetransfer.nodes (node_id, configured_role, url, instance, started_at, seen_at)
            VALUES ('{id}', 'follower', '{url}', gen_random_uuid(), now(), now())
            """
        );

    /// <summary>Adds a file to the cluster that this node has stored. Nobody is told.</summary>
    public async Task<TestFile> OfferAsync(TestFile file)
    {
        _contents[file.Key] = file.Content;
        await file.AddAsync(_database, Id);
        return file;
    }

    public async ValueTask DisposeAsync()
    {
        await _database.ExecuteAsync($"DELETE FROM filetransfer.replicas WHERE node_id = '{Id}'");
        using var hurry = new CancellationTokenSource(TimeSpan.Zero);
        await _server.StopAsync(hurry.Token);
        await _server.DisposeAsync();
    }

    private async Task SendHashesAsync(string key, HttpContext context)
    {
        if (Content(key, context) is not { } content)
        {
            return;
        }

        using var hashes = ChunkHashes.Create(content.Length);
        hashes.Set(0, content);
        var encoded = new byte[hashes.EncodedLength];
        hashes.ReadEncoded(0, encoded);
        encoded[40] ^= SendsOtherHashes ? (byte)1 : (byte)0;
        context.Response.ContentLength = encoded.Length;
        await context.Response.Body.WriteAsync(encoded, context.RequestAborted);
    }

    private async Task SendChunksAsync(string key, HttpContext context)
    {
        Interlocked.Increment(ref _requests);
        if (Content(key, context) is not { } content)
        {
            return;
        }

        var (from, count) = Asked(context, ChunkFrame.BodyLength(content.Length));
        Interlocked.Increment(ref _open);
        try
        {
            await SendAsync(content, from, count, context);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task SendAsync(byte[] content, long from, long count, HttpContext context)
    {
        var began = TimeProvider.System.GetTimestamp();
        var piece = BytesPerSecond > 0 ? Math.Clamp(BytesPerSecond / 50, 512, 8 * 1032) : 8 * 1032;
        for (long sent = 0; sent < count; )
        {
            if (ClosesAfter <= sent)
            {
                context.Abort();
                return;
            }

            if (SilentAfter <= BytesSent)
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }

            var bytes = Frames(content, from + sent, Math.Min(piece, count - sent));
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            sent += bytes.Length;
            Interlocked.Add(ref _bytesSent, bytes.Length);
            if (BytesPerSecond is > 0 and var rate)
            {
                var due = TimeSpan.FromSeconds((double)sent / rate) - TimeProvider.System.GetElapsedTime(began);
                if (due > TimeSpan.Zero)
                {
                    await Task.Delay(due, context.RequestAborted);
                }
            }
        }
    }

    private byte[]? Content(string key, HttpContext context)
    {
        if (Status is { } status)
        {
            context.Response.StatusCode = status;
            return null;
        }

        if (FileKey.TryParse(key, out var fileKey) && _contents.TryGetValue(fileKey, out var content))
        {
            return content;
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return null;
    }

    private static (long From, long Count) Asked(HttpContext context, long length)
    {
        if (context.Request.GetTypedHeaders().Range?.Ranges.Single() is not { } range)
        {
            context.Response.ContentLength = length;
            return (0, length);
        }

        var count = range.To!.Value - range.From!.Value + 1;
        context.Response.StatusCode = StatusCodes.Status206PartialContent;
        context.Response.Headers.ContentRange = $"bytes {range.From}-{range.To}/{length}";
        context.Response.ContentLength = count;
        return (range.From.Value, count);
    }

    private byte[] Frames(byte[] content, long offset, long count)
    {
        var bytes = new byte[count];
        for (var i = 0L; i < count; )
        {
            var (chunk, within) = Math.DivRem(offset + i, ChunkFrame.Length);
            if (within < ChunkFrame.IdLength)
            {
                bytes[i++] = (byte)(chunk >> (int)(8 * within));
                continue;
            }

            var length = Math.Min(count - i, ChunkFrame.Length - within);
            Array.Copy(content, (chunk * ChunkFrame.ChunkLength) + within - ChunkFrame.IdLength, bytes, i, length);
            bytes[i] ^= chunk == LiesAtChunk && within == ChunkFrame.IdLength ? (byte)1 : (byte)0;
            i += length;
        }

        return bytes;
    }
}
