using System.Buffers.Binary;
using System.Text.Json.Nodes;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.Tests.Cli;

/// <content>Contents on their way in.</content>
internal sealed partial class FakeNode
{
    private async Task<IResult> UploadAsync(string key, HttpContext context)
    {
        if (NotLeader() is { } elsewhere)
        {
            return elsewhere;
        }

        if (Find(key) is not { } file)
        {
            return Unknown(key);
        }

        var size = (int)file.Metadata.Size;
        var cut = Cuts.TryDequeue(out var bytes) ? bytes : int.MaxValue;
        using var body = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int read; (read = await context.Request.Body.ReadAsync(buffer)) > 0; )
        {
            Interlocked.Add(ref BytesReceived, read);
            body.Write(buffer, 0, read);
            if (body.Length > cut)
            {
                Keep(key, body.ToArray());
                context.Abort();
                return Results.Empty;
            }
        }

        var content = new byte[size];
        var kept = Keep(key, body.ToArray(), isWhole: true);
        var missing = Enumerable.Range(0, (size + 1023) / 1024).FirstOrDefault(id => !kept.ContainsKey(id), -1);
        if (missing >= 0)
        {
            return Problem(422, "upload-invalid", "The upload is invalid", "A chunk is missing.", ("chunk", missing));
        }

        foreach (var (id, chunk) in kept)
        {
            chunk.CopyTo(content.AsSpan((int)id * 1024));
        }

        if (ContentFingerprint.Of(content) != file.Metadata.Fingerprint)
        {
            return Problem(422, "fingerprint-mismatch", "Fingerprint mismatch", "The content has another fingerprint.");
        }

        (file.Content, file.FileState, file.State) = (content, "added", "stored");
        return Results.Ok();
    }

    private async Task<IResult> TakeBatchAsync(HttpContext context)
    {
        if (KnowsNoBatches)
        {
            return Problem(405, "method-not-allowed", "Method not allowed", "The route has no such method.");
        }

        if (NotLeader() is { } elsewhere)
        {
            return elsewhere;
        }

        using var whole = new MemoryStream();
        await context.Request.Body.CopyToAsync(whole);
        Interlocked.Add(ref BytesReceived, whole.Length);
        context.Response.ContentType = "application/x-ndjson";
        var batch = whole.ToArray().AsMemory();
        for (var index = 0; !batch.IsEmpty; index++)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(batch.Span);
            var described = JsonNode.Parse(batch.Span[4..(4 + length)])!;
            var size = (int)BinaryPrimitives.ReadInt64LittleEndian(batch.Span[(4 + length)..]);
            var content = batch.Slice(12 + length, size).ToArray();
            batch = batch[(12 + length + size)..];
            ByteString.TryParseHex((string)described["owner"]!, out var owner).ShouldBeTrue();
            ByteString.TryParseHex((string)described["bucket"]!, out var bucket).ShouldBeTrue();
            var location = ByteString.FromUtf8((string)described["location"]!);
            var metadata = new FileMetadata(owner, bucket, location, (ulong)size, ContentFingerprint.Of(content));
            var (status, problem) =
                InBatch?.Invoke(location.AsUtf8()!) ?? (Files.ContainsKey(metadata.ComputeKey()) ? 200 : 201, null);
            if (status == 0)
            {
                break;
            }

            var key = status < 300 ? $"{Add(metadata, content)}" : null;
            var line = new JsonObject
            {
                ["index"] = index,
                ["key"] = key,
                ["status"] = status,
                ["problem"] = problem,
            };
            await context.Response.WriteAsync(line.ToJsonString() + "\n");
        }

        return Results.Empty;
    }

    private SortedDictionary<long, byte[]> Keep(string key, ReadOnlySpan<byte> frames, bool isWhole = false)
    {
        var kept = Kept.GetOrAdd(key, _ => []);
        for (; frames.Length >= (isWhole ? 9 : 1032); frames = frames[Math.Min(1032, frames.Length)..])
        {
            kept[BinaryPrimitives.ReadInt64LittleEndian(frames)] = frames[8..Math.Min(1032, frames.Length)].ToArray();
        }

        return kept;
    }
}
