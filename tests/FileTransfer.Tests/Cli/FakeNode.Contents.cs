using System.Buffers.Binary;
using FileTransfer.Identity.Hashing;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.Tests.Cli;

/// <content>Contents on their way out.</content>
internal sealed partial class FakeNode
{
    private async Task<IResult> DownloadAsync(string key, HttpContext context)
    {
        Ranges.Enqueue(context.Request.Headers.Range.ToString());
        if (Find(key) is not { } file)
        {
            return Unknown(key);
        }

        if (file.Content is not { } content || file.FileState == "removed")
        {
            return Problem(409, "file-not-stored", "File not stored", $"{key} is {file.State} here.");
        }

        var body = Frame(content);
        if (Corrupts)
        {
            body[8] ^= 1;
        }

        var from = 0;
        if (!IgnoresRanges && context.Request.GetTypedHeaders().Range?.Ranges.Single().From is { } first)
        {
            from = (int)first;
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{body.Length - 1}/{body.Length}";
        }

        context.Response.ContentLength = body.Length - from;
        var end = Cuts.TryDequeue(out var cut) ? Math.Min(from + cut, body.Length) : body.Length;
        end = StandsStill ? Math.Min(from + 2000, body.Length) : end;
        await context.Response.Body.WriteAsync(body.AsMemory(from, end - from));
        await context.Response.Body.FlushAsync();
        if (StandsStill)
        {
            _stoodStill.TrySetResult();
            var gone = new TaskCompletionSource();
            await using var registration = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
        }

        if (end < body.Length)
        {
            context.Abort();
        }

        return Results.Empty;
    }

    private IResult Head(string key, HttpContext context)
    {
        if (Find(key) is not { Content: { } content } file)
        {
            return HasNoDatabase ? NoDatabase() : Unknown(key);
        }

        context.Response.Headers.ETag = $"\"{file.Metadata.Fingerprint}\"";
        context.Response.ContentLength = content.Length;
        return Results.Empty;
    }

    private IResult Hashes(string key)
    {
        if (Find(key) is not { Content: { } content })
        {
            return Unknown(key);
        }

        using var hashes = ChunkHashes.Create(content.Length);
        hashes.Set(0, content);
        var encoded = new byte[hashes.EncodedLength];
        hashes.ReadEncoded(0, encoded);
        return Results.Bytes(encoded);
    }

    private static byte[] Frame(byte[] content)
    {
        using var body = new MemoryStream();
        Span<byte> id = stackalloc byte[8];
        for (var i = 0; i * 1024 < content.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(id, i);
            body.Write(id);
            body.Write(content.AsSpan(i * 1024, Math.Min(1024, content.Length - (i * 1024))));
        }

        return body.ToArray();
    }
}
