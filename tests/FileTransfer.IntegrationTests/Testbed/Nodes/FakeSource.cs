using System.Collections.Concurrent;
using FileTransfer.Chunks.Frames;
using FileTransfer.Contracts;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A node of the catalog that the test plays: it answers as a source does, and misbehaves when told to. It counts what it sends.</summary>
internal sealed partial class FakeSource : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly TestDatabase _database;
    private readonly ConcurrentDictionary<FileKey, TestFile> _files = new();
    private long _bytesSent;
    private int _requests;

    private FakeSource(WebApplication server, TestDatabase database, string id)
    {
        _server = server;
        _database = database;
        Id = id;
    }

    public string Id { get; }

    /// <summary>Bytes of bodies of chunks sent so far.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Bodies of chunks that were asked for so far.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Bodies that are being sent now.</summary>
    public int Open => _open;

    private static readonly TimeSpan _slack = TimeSpan.FromMilliseconds(20);

    private int _open;
    private TimeSpan _free;

    /// <summary>Per body; 0 = as fast as it goes.</summary>
    public int BytesPerSecond { get; set; }

    /// <summary>Of all bodies together; 0 = as fast as it goes.</summary>
    public int TotalBytesPerSecond { get; set; }

    /// <summary>Answers this and nothing else.</summary>
    public int? Status { get; set; }

    /// <summary>Sends this chunk with one bit turned.</summary>
    public long? LiesAtChunk { get; set; }

    /// <summary>In the middle of the body of this number, from 1, it sends one chunk with one bit turned.</summary>
    public int? LiesInBody { get; set; }

    /// <summary>The chunk that it lied about last.</summary>
    public long? LiedAt { get; private set; }

    /// <summary>Its copies of these have one bit turned.</summary>
    public ConcurrentDictionary<FileKey, bool> Rotten { get; } = new();

    /// <summary>What it was told of its copies.</summary>
    public ConcurrentQueue<(string Key, string Body)> Told { get; } = new();

    /// <summary>Goes with <see cref="Status"/>.</summary>
    public string? RetryAfter { get; set; }

    /// <summary>How long it takes to the first byte of any answer.</summary>
    public TimeSpan FirstByteAfter { get; set; }

    /// <summary>Requests of any kind that were answered with <see cref="Status"/>.</summary>
    public int Refused => Volatile.Read(ref _refused);

    private int _refused;

    public bool SendsOtherHashes { get; set; }

    /// <summary>Says of one content that it delivers, and of no other, that it has a byte less.</summary>
    public FileKey? ShortensInDeliveries { get; set; }

    /// <summary>After so many bytes of all bodies together it sends nothing more, and keeps the connection open.</summary>
    public long? SilentAfter { get; set; }

    /// <summary>After so many bytes of a body it closes the connection.</summary>
    public long? ClosesAfter { get; set; }

    /// <summary>Closes the connection in the middle of each body whose number is a multiple of this.</summary>
    public int? ClosesEvery { get; set; }

    /// <summary>Sends no chunk from this one on, and keeps the connections open, until <see cref="Release"/>.</summary>
    public void HoldFrom(long chunk) =>
        _held = (chunk, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public void Release() => _held.Released.TrySetResult();

    private (long Chunk, TaskCompletionSource Released) _held = (long.MaxValue, new TaskCompletionSource());

    public static async Task<FakeSource> StartAsync(TestDatabase database, string id, int port = 0)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls($"http://127.0.0.1:{port}");
        var server = builder.Build();
        var source = new FakeSource(server, database, id);
        server.Use(source.DelayAsync);
        server.UseRouting();
        server.MapPost(
            "/v1/files/{key}/damage",
            async (string key, HttpContext context) =>
            {
                using var reader = new StreamReader(context.Request.Body);
                source.Told.Enqueue((key, await reader.ReadToEndAsync()));
            }
        );
        server.MapGet("/v1/files/{key}/hashes", source.SendHashesAsync);
        server.MapGet("/v1/files/{key}/parts", source.SendPartsAsync);
        server.MapGet(
            "/v1/files/{key}/content",
            (string key, HttpContext context) => source.SendAsync(key, isFramed: false, context)
        );
        server.MapGet("/download/{key}", (string key, HttpContext context) => source.SendAsync(key, isFramed: true, context));
        server.MapPost(Routes.Deliveries, source.DeliverAsync);
        await server.StartAsync();
        await RegisterNodeAsync(database, id, server.Urls.First());
        return source;
    }

    /// <summary>Makes a node known that is heard of now.</summary>
    public static Task RegisterNodeAsync(TestDatabase database, string id, string url) =>
        new ForgedNode(id) { Role = "follower", Url = url }.AddAsync(database);

    /// <summary>Adds a file to the cluster that this node has stored. Nobody is told.</summary>
    public async Task<TestFile> OfferAsync(TestFile file)
    {
        _files[file.Key] = file;
        await file.AddAsync(_database, Id);
        return file;
    }

    /// <summary>Serves a file that the catalog says it has stored.</summary>
    public void Knows(TestFile file) => _files[file.Key] = file;

    /// <summary>Ends like a process that is killed: the catalog still says that it has its files.</summary>
    public async Task StopAsync()
    {
        using var hurry = new CancellationTokenSource(TimeSpan.Zero);
        await _server.StopAsync(hurry.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.ExecuteAsync($"DELETE FROM filetransfer.replicas WHERE node_id = '{Id}'");
        await StopAsync();
        await _server.DisposeAsync();
    }

    private async Task SendHashesAsync(string key, HttpContext context)
    {
        if (FileOf(key, context) is not { } file)
        {
            return;
        }

        var (from, count) = Asked(context, file.Hashes.Length);
        for (long sent = 0; sent < count; )
        {
            var piece = file.Hashes.AsSpan((int)(from + sent), (int)Math.Min(32 * 1024, count - sent)).ToArray();
            if (SendsOtherHashes && from + sent == 0)
            {
                piece[40] ^= 1;
            }

            await context.Response.Body.WriteAsync(piece, context.RequestAborted);
            sent += piece.Length;
            if (TotalBytesPerSecond is > 0 and var rate)
            {
                await PaceAsync(piece.Length, rate, context.RequestAborted);
            }
        }
    }

    private async Task SendAsync(string key, bool isFramed, HttpContext context)
    {
        if (FileOf(key, context) is not { } file)
        {
            return;
        }

        var content = Copy(file);

        var (from, count) = Asked(context, isFramed ? ChunkFrame.BodyLength(content.Length) : content.Length);
        await SendAsync(content, isFramed, from, count, context);
    }

    private async Task DeliverAsync(HttpContext context)
    {
        if (Status is { } status)
        {
            Refuse(context, status);
            return;
        }

        var order = (await context.Request.ReadFromJsonAsync<BatchRequest>(context.RequestAborted))!;
        foreach (var key in order.Want!)
        {
            var file = Known(key ?? "");
            var content =
                file is null ? null
                : file.Key == ShortensInDeliveries ? file.Content[..^1]
                : Copy(file);

            var header = BitConverter.GetBytes(content?.LongLength ?? ContentBatch.NotDelivered);
            await context.Response.Body.WriteAsync(header, context.RequestAborted);
            await SendAsync(content ?? [], isFramed: false, 0, content?.Length ?? 0, context);
        }
    }

    private async Task SendAsync(byte[] content, bool isFramed, long from, long count, HttpContext context)
    {
        var unit = isFramed ? ChunkFrame.Length : ChunkFrame.ChunkLength;
        // A probe is not a body: it finds out who answers.
        var body = count > unit ? Interlocked.Increment(ref _requests) : 0;
        Interlocked.Increment(ref _open);
        try
        {
            var lie = body > 0 && body == LiesInBody ? (from + (count / 2)) / unit : LiesAtChunk;
            LiedAt = lie ?? LiedAt;
            var closesAfter = body > 0 && body % ClosesEvery == 0 ? count / 2 : ClosesAfter;
            await SendAsync(
                (offset, length) => isFramed ? Frames(content, offset, length, lie) : Bytes(content, offset, length, lie),
                from,
                count,
                unit,
                closesAfter,
                context
            );
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task SendAsync(
        Func<long, long, byte[]> part,
        long from,
        long count,
        int unit,
        long? closesAfter,
        HttpContext context
    )
    {
        var began = TimeProvider.System.GetTimestamp();
        var piece = BytesPerSecond > 0 ? Math.Clamp(BytesPerSecond / 50, 512, 8 * 1032) : 32 * 1032;
        for (long sent = 0; sent < count; )
        {
            if (closesAfter <= sent)
            {
                context.Abort();
                return;
            }

            if (SilentAfter <= BytesSent)
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }

            var length = Math.Min(piece, count - sent);
            if (_held is var (held, released) && (from + sent + length - 1) / unit >= held)
            {
                await released.Task.WaitAsync(context.RequestAborted);
            }

            var bytes = part(from + sent, length);
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            sent += bytes.Length;
            Interlocked.Add(ref _bytesSent, bytes.Length);
            if (TotalBytesPerSecond is > 0 and var total)
            {
                await PaceAsync(bytes.Length, total, context.RequestAborted);
            }

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

    /// <summary>Lets bodies pass one after the other at a rate; what a pause missed is not caught up.</summary>
    private async Task PaceAsync(int bytes, int bytesPerSecond, CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_files)
        {
            var now = TimeProvider.System.GetElapsedTime(0);
            _free = (_free > now - _slack ? _free : now - _slack) + TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
            wait = _free - now;
        }

        if (wait > TimeSpan.FromMilliseconds(1))
        {
            await Task.Delay(wait, cancellationToken);
        }
    }

    private void Refuse(HttpContext context, int status)
    {
        Interlocked.Increment(ref _refused);
        context.Response.StatusCode = status;
        if (RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = wait;
        }
    }

    private async Task DelayAsync(HttpContext context, RequestDelegate next)
    {
        if (FirstByteAfter > TimeSpan.Zero)
        {
            await Task.Delay(FirstByteAfter, context.RequestAborted);
        }

        await next(context);
    }

    private TestFile? FileOf(string key, HttpContext context)
    {
        if (Status is { } status)
        {
            Refuse(context, status);
            return null;
        }

        if (Known(key) is { } file)
        {
            return file;
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return null;
    }

    private byte[] Copy(TestFile file)
    {
        if (!Rotten.ContainsKey(file.Key))
        {
            return file.Content;
        }

        var rotten = file.Content.ToArray();
        rotten[rotten.Length / 2] ^= 1;
        return rotten;
    }

    private TestFile? Known(string key) => FileKey.TryParse(key, out var fileKey) ? _files.GetValueOrDefault(fileKey) : null;

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

    private static byte[] Bytes(byte[] content, long offset, long count, long? lie)
    {
        var bytes = content.AsSpan((int)offset, (int)count).ToArray();
        if ((lie * ChunkFrame.ChunkLength) - offset is { } at and >= 0 && at < count)
        {
            bytes[at] ^= 1;
        }

        return bytes;
    }

    private static byte[] Frames(byte[] content, long offset, long count, long? lie)
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
            bytes[i] ^= chunk == lie && within == ChunkFrame.IdLength ? (byte)1 : (byte)0;
            i += length;
        }

        return bytes;
    }
}
