using System.Net.Http.Headers;
using FileTransfer.Chunks.Frames;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Cli.Client;

/// <content>Contents on their way to a node, and from it.</content>
public sealed partial class NodeClient
{
    /// <summary>After the last byte of an upload the node proves and syncs the whole content; this is the slowest disk that is waited for.</summary>
    private const long SlowestDiskBytesPerSecond = 10_000_000;

    /// <summary>Registers a file. What was known before may have been sent in part.</summary>
    public async Task<(FileResource File, bool IsNew)> RegisterAsync(FileKey key, FileMetadata metadata)
    {
        var body = Json(FileRegistration.Of(metadata));
        using var response = await SendAsync(Request(HttpMethod.Put, Routes.Of(Routes.File, key), body));
        return (await ReadBodyAsync<FileResource>(response), response.StatusCode == HttpStatusCode.Created);
    }

    /// <summary>Asks with an upload of nothing which chunk of a content is the first that the node has not kept; null when it has them all, and stores it.</summary>
    public async Task<long?> FindMissingChunkAsync(FileKey key, long size)
    {
        var request = Request(HttpMethod.Post, Routes.Of(Routes.Upload, key), new ByteArrayContent([]));
        try
        {
            // What was kept is proven first, and stored when nothing is missing.
            using var response = await SendAsync(request, AnswerToUploadWithin(size));
            return null;
        }
        catch (NodeProblemException problem) when (problem.IsUploadUnfinished)
        {
            return problem.Chunk;
        }
    }

    /// <summary>Size and fingerprint of the content that the node serves under a key, as its headers say: no database is asked for them.</summary>
    public async Task<(long Size, Fingerprint Fingerprint)?> FindContentAsync(FileKey key)
    {
        using var response = await SendAsync(Request(HttpMethod.Head, Routes.Of(Routes.Content, key)));
        return
            response.Content.Headers.ContentLength is > 0 and var size
            && Fingerprint.TryParse(response.Headers.ETag?.Tag.Trim('"'), out var fingerprint)
            ? (size, fingerprint)
            : null;
    }

    /// <summary>The chunk hashes of a content; they prove nothing before their root is its fingerprint.</summary>
    public async Task<ChunkHashes> GetHashesAsync(FileKey key, long size)
    {
        using var response = await SendAsync(Request(HttpMethod.Get, Routes.Of(Routes.Hashes, key)));
        using var stall = new IdleTimeout(time, stallPeriod, cancellationToken);
        var hashes = ChunkHashes.Create(size);
        try
        {
            return await TranslateFaultsAsync(async () =>
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
            });
        }
        catch
        {
            hashes.Dispose();
            throw;
        }
    }

    /// <summary>Sends a content as frames. A node that wants none of it says so before the first is sent.</summary>
    public async Task UploadAsync(FileKey key, UploadBody content)
    {
        var request = Request(HttpMethod.Post, Routes.Of(Routes.Upload, key), content);
        request.Headers.ExpectContinue = true;
        using var response = await SendBodyAsync(request, content, content.Size);
    }

    /// <summary>Sends a batch; what became of each file of it, in their order.</summary>
    public async Task<NdjsonAnswer<BatchLine>> OpenBatchAsync(BatchBody batch)
    {
        var request = Request(HttpMethod.Post, Routes.Batch, batch);
        var response = await SendBodyAsync(request, batch, batch.Size);
        return await ReadLinesAsync<BatchLine>(response, AnswerToUploadWithin(batch.Size));
    }

    private async Task<HttpResponseMessage> SendBodyAsync(HttpRequestMessage request, WatchedBody body, long size)
    {
        // While the body moves, only standing still ends it; the limit on the answer begins with its last byte.
        using var sent = request;
        using var stall = new IdleTimeout(time, stallPeriod, cancellationToken);
        body.Watch = stall;
        body.AnswerWithin = AnswerToUploadWithin(size);
        stall.Rearm(_answerWithin);
        try
        {
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token);
            await ThrowIfProblemAsync(response, stall.Token);
            return response;
        }
        catch (Exception) when (body.LocalFault is { } local)
        {
            throw new CliException(ExitCode.Failed, local.Message, local);
        }
        catch (Exception fault) when (NodeUnreachableReason.Of(fault, cancellationToken) is { } reason)
        {
            throw new NodeUnreachableException(node, reason, fault);
        }
    }

    /// <summary>The content as frames from <paramref name="firstChunk"/> on; from chunk 0 where the node does not do ranges.</summary>
    public async Task<DownloadBody> DownloadAsync(FileKey key, long size, long firstChunk)
    {
        var request = Request(HttpMethod.Get, Routes.Of(Routes.Download, key));
        if (firstChunk > 0)
        {
            request.Headers.Range = new RangeHeaderValue(firstChunk * ChunkFrame.Length, to: null);
        }

        var response = await SendAsync(request);
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
        var body = FrameReader.PipeOver(await response.Content.ReadAsStreamAsync(cancellationToken));
        var stall = new IdleTimeout(time, stallPeriod, cancellationToken);
        return new DownloadBody(node, response, body, size, first, stall, cancellationToken);
    }

    private static TimeSpan AnswerToUploadWithin(long size) =>
        (2 * _answerWithin) + TimeSpan.FromSeconds(size / SlowestDiskBytesPerSecond);
}
