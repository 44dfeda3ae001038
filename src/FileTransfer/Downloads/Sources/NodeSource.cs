using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Identity;

namespace FileTransfer.Downloads.Sources;

/// <summary>Another node as the source of one file: <c>GET /v1/files/{key}/hashes</c> and <c>GET /download/{key}</c>.</summary>
/// <remarks>Nothing it sends is believed. Every fault is told as a <see cref="SourceException"/> that names the node.</remarks>
public sealed class NodeSource(HttpClient http, Holding holding, FileKey key, DownloadOptions options, TimeProvider time)
{
    public NodeId Node => holding.Node;

    /// <summary>Fills the chunk hashes of a partial and proves them against its fingerprint.</summary>
    public async Task FetchHashesAsync(PartialFile partial, CancellationToken cancellationToken)
    {
        using var watch = Watch(cancellationToken);
        watch.Start();
        using var response = await SendAsync(Request($"/v1/files/{key}/hashes"), watch, cancellationToken);
        ExpectLength(response, partial.Hashes.EncodedLength);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            for (long offset = 0; offset < partial.Hashes.EncodedLength; )
            {
                var wanted = (int)Math.Min(buffer.Length, partial.Hashes.EncodedLength - offset);
                var read = await GuardAsync(
                    async token =>
                        await body.ReadAtLeastAsync(buffer.AsMemory(0, wanted), wanted, throwOnEndOfStream: false, token),
                    watch,
                    cancellationToken
                );
                if (read < wanted)
                {
                    throw Fault(SourceFaultKind.EndedEarly, $"ended the chunk hashes after {offset + read} bytes");
                }

                partial.Hashes.WriteEncoded(offset, buffer.AsSpan(0, read));
                watch.Received(read);
                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (!partial.TrustHashes())
        {
            throw Fault(SourceFaultKind.Lied, "sent chunk hashes that do not make up the fingerprint");
        }
    }

    /// <summary>Asks for a run of chunks. The request is under way when this returns; <see cref="ReceiveAsync"/> reads its answer.</summary>
    public WindowRequest Request(ChunkRange window, long size, CancellationToken cancellationToken)
    {
        var request = Request($"/download/{key}");
        var isWhole = window.Count == ChunkFrame.ChunkCount(size);
        if (!isWhole)
        {
            var last = Math.Min((window.First + window.Count) * ChunkFrame.Length, ChunkFrame.BodyLength(size)) - 1;
            request.Headers.Range = new RangeHeaderValue(window.First * ChunkFrame.Length, last);
        }

        var watch = Watch(cancellationToken);
        return new WindowRequest(window, isWhole, watch, SendAsync(request, watch, cancellationToken));
    }

    /// <summary>Takes the chunks of a window as they come and puts them into the partial.</summary>
    public async Task ReceiveAsync(WindowRequest request, PartialFile partial, CancellationToken cancellationToken)
    {
        request.Watch.Start();
        var response = await request.Response;
        var window = request.Window;
        if (!request.IsWhole && response.StatusCode != HttpStatusCode.PartialContent)
        {
            throw Fault(SourceFaultKind.Refused, $"answered {(int)response.StatusCode} to a range");
        }

        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var pipe = FrameReader.PipeOver(body);
        using var frames = new FrameReader(pipe, partial.Size);
        try
        {
            long taken = 0;
            while (true)
            {
                var read = await GuardAsync(async token => await frames.ReadAsync(token), request.Watch, cancellationToken);
                switch (read.Kind)
                {
                    case FrameReadKind.Run:
                        Take(read.Run, window, partial);
                        request.Watch.Received(read.Run.Bytes.Length);
                        taken += read.Run.ChunkCount;
                        break;
                    case FrameReadKind.End when taken == window.Count:
                        return;
                    case FrameReadKind.End:
                        throw Fault(SourceFaultKind.EndedEarly, $"ended a body of {window.Count} chunks after {taken}");
                    default:
                        throw Fault(SourceFaultKind.Lied, $"sent a body that is not the file's: {read.Fault!.Reason}");
                }
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    /// <summary>The whole content came, but it is another one.</summary>
    public SourceException OtherContent() => Fault(SourceFaultKind.Lied, "sent a content with another fingerprint");

    private void Take(ChunkRun run, ChunkRange window, PartialFile partial)
    {
        if (run.FirstChunk < window.First || run.FirstChunk + run.ChunkCount > window.First + window.Count)
        {
            throw Fault(SourceFaultKind.Lied, $"sent chunk {run.FirstChunk}, which was not asked for");
        }

        if (partial.Put(run.FirstChunk, run.Bytes.Span) is { Kind: not PutKind.Stored } put)
        {
            throw Fault(SourceFaultKind.Lied, $"sent chunk {put.ChunkId} with other bytes than the file has");
        }
    }

    private HttpRequestMessage Request(string path) => new(HttpMethod.Get, new Uri(holding.Url, path));

    private StallWatch Watch(CancellationToken cancellationToken) =>
        new(options.StallFloorBytesPerSecond, options.StallPeriod, time, cancellationToken);

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        StallWatch watch,
        CancellationToken cancellationToken
    )
    {
        using (request)
        {
            var response = await GuardAsync(
                token => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token),
                watch,
                cancellationToken
            );
            if (response.IsSuccessStatusCode)
            {
                return response;
            }

            using (response)
            {
                throw response.StatusCode switch
                {
                    HttpStatusCode.NotFound or HttpStatusCode.Conflict => Fault(
                        SourceFaultKind.NotFound,
                        "does not have the file"
                    ),
                    HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Fault(
                        SourceFaultKind.Refused,
                        $"refuses this node's token ({(int)response.StatusCode}); set FileTransfer:NodeToken to one it knows, with scope node"
                    ),
                    var status => Fault(SourceFaultKind.Refused, $"answered {(int)status}"),
                };
            }
        }
    }

    private void ExpectLength(HttpResponseMessage response, long expected)
    {
        if (response.Content.Headers.ContentLength is { } length && length != expected)
        {
            throw Fault(SourceFaultKind.Lied, $"has {length} bytes of chunk hashes where the file has {expected}");
        }
    }

    /// <summary>Tells what the network throws as a fault of the source. Only network calls belong inside.</summary>
    private async Task<T> GuardAsync<T>(
        Func<CancellationToken, Task<T>> call,
        StallWatch watch,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await call(watch.Token);
        }
        catch (OperationCanceledException) when (watch.HasStalled && !cancellationToken.IsCancellationRequested)
        {
            throw Fault(
                SourceFaultKind.Stalled,
                $"sent less than {options.StallFloorBytesPerSecond} bytes per second for {options.StallPeriod.TotalSeconds:0.#} s"
            );
        }
        catch (OperationCanceledException e) when (!watch.Token.IsCancellationRequested)
        {
            // The client's own limit for the connecting.
            throw Fault(
                SourceFaultKind.Unreachable,
                $"did not accept a connection within {NodeHttp.ConnectTimeout.TotalSeconds:0} s",
                e
            );
        }
        catch (Exception e) when (IsEndOfConnection(e))
        {
            throw Fault(SourceFaultKind.EndedEarly, "closed the connection in the middle", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Fault(SourceFaultKind.Unreachable, $"cannot be read from: {e.GetBaseException().Message}", e);
        }
    }

    private static bool IsEndOfConnection(Exception e) =>
        e
            is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }
                or HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded }
        || (
            e is HttpRequestException or IOException
            && e.GetBaseException() is SocketException { SocketErrorCode: SocketError.ConnectionReset }
        );

    private SourceException Fault(SourceFaultKind kind, string what, Exception? cause = null) =>
        new(kind, $"node '{holding.Node}' at {holding.Url.OriginalString} {what}", cause);
}

/// <summary>A window that was asked for and whose answer is not read yet.</summary>
public sealed class WindowRequest(ChunkRange window, bool isWhole, StallWatch watch, Task<HttpResponseMessage> response)
    : IDisposable
{
    public ChunkRange Window => window;

    public bool IsWhole => isWhole;

    public StallWatch Watch => watch;

    public Task<HttpResponseMessage> Response => response;

    /// <summary>Ends the request wherever it is.</summary>
    public void Dispose()
    {
        watch.Cancel();
        _ = response.ContinueWith(
            static (answer, watch) =>
            {
                if (answer.IsCompletedSuccessfully)
                {
                    answer.Result.Dispose();
                }

                _ = answer.Exception; // Observed: who gave the request up does not care why it failed.
                ((StallWatch)watch!).Dispose();
            },
            watch,
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default
        );
    }
}
