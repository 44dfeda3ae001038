using System.Buffers;
using System.Net;
using System.Text;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;
using FileTransfer.Http;
using FileTransfer.Identity;

namespace FileTransfer.Downloads.Sources;

/// <summary>A place where contents can be had from over HTTP: its address, and what it serves under which path.</summary>
/// <remarks>Nothing it sends is believed. Every fault is told as a <see cref="SourceException"/> that names the source.</remarks>
public abstract partial class Source(SourceId id, string name, Uri url, HttpMessageInvoker http, SourceClientOptions terms)
{
    private const int HashLength = 32;
    private const int LongestProblem = 4096;
    private static readonly byte[] _busy = Encoding.UTF8.GetBytes($"\"{ProblemTypes.SourceBusy.Urn}\"");
    private static readonly byte[] _elsewhere = Encoding.UTF8.GetBytes($"\"{ProblemTypes.FileElsewhere.Urn}\"");

    private static readonly TimeSpan _freshFor = TimeSpan.FromSeconds(1);

    private readonly ByteCounter _meter = new();
    private readonly long _learnedAt = terms.Time.GetTimestamp();

    public SourceId Id => id;

    public Uri Url => url;

    /// <summary>Its address has just been told.</summary>
    public bool IsFresh => terms.Time.GetElapsedTime(_learnedAt) < _freshFor;

    /// <summary>Waits until so many bytes may be taken from it.</summary>
    internal ValueTask TakeAsync(int bytes, CancellationToken cancellationToken) => terms.TakeAsync(id, bytes, cancellationToken);

    /// <summary>Asks for the first bytes of a file, to see whether it answers. What it says of the file does not matter.</summary>
    /// <param name="isPatient">Waits for the head of the answer as long as for any.</param>
    public async Task ProbeAsync(FileKey key, bool isPatient, CancellationToken cancellationToken)
    {
        using var watch = Watch(cancellationToken);
        if (!isPatient)
        {
            watch.Start();
        }

        using var request = ProbeRequest(key);
        using var response = await TranslateNetworkErrorsAsync(token => http.SendAsync(request, token), watch, cancellationToken);
        watch.Start();
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await TranslateNetworkErrorsAsync(
            async token => await body.ReadAsync(new byte[ChunkFrame.Length], token),
            watch,
            cancellationToken
        );
    }

    /// <summary>Sends a request whose answer's body does not matter.</summary>
    protected async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var watch = Watch(cancellationToken);
        return await TranslateNetworkErrorsAsync(token => http.SendAsync(request, token), watch, cancellationToken);
    }

    /// <summary>Fills the chunk hashes of a partial; all of them are proven against its fingerprint, a part is not.</summary>
    public async Task FetchHashesAsync(
        PartialFile into,
        ChunkRange chunks,
        FetchProgress report,
        CancellationToken cancellationToken
    )
    {
        var isWhole = chunks.Count == into.ChunkCount;
        var first = chunks.First * HashLength;
        var end = chunks.End == into.ChunkCount ? into.Hashes.EncodedLength : chunks.End * HashLength;
        await using var body = await OpenAsync(
            Request(HashesPathOf(into.Key), isWhole ? null : (first, end - 1)),
            "chunk hashes",
            end - first,
            report,
            cancellationToken
        );
        await body.ReadBytesAsync(
            end - first,
            HashLength,
            "the chunk hashes",
            (offset, bytes) =>
            {
                into.Hashes.WriteEncoded(first + offset, bytes.Span);
                report.Brought(bytes.Length / HashLength);
            },
            cancellationToken
        );
        if (isWhole && !into.VerifyHashes())
        {
            throw body.IsPage
                ? NotTheFile("answered with a page, so it does not have the chunk hashes")
                : Wrong(
                    "sent chunk hashes that do not make up the fingerprint",
                    null,
                    "the chunk hashes do not make up the fingerprint"
                );
        }
    }

    /// <summary>Puts a run of chunks into the partial as they come, each proven by its hash.</summary>
    /// <remarks>The bytes are asked for as they are: frames would have to be taken apart, and say nothing that the range does not.</remarks>
    public async Task FetchWindowAsync(
        PartialFile into,
        ChunkRange window,
        FetchProgress report,
        CancellationToken cancellationToken
    )
    {
        var first = window.First * ChunkFrame.ChunkLength;
        var length = Math.Min(window.End * ChunkFrame.ChunkLength, into.Size) - first;
        await using var body = await OpenAsync(
            ContentRequest(into.Key, (first, first + length - 1)),
            "content",
            length,
            report,
            cancellationToken
        );
        await ReadContentAsync(
            body,
            first,
            length,
            (firstChunk, bytes) => Put(into, firstChunk, bytes, report),
            cancellationToken
        );
    }

    /// <summary>Puts a whole content into the partial and proves it.</summary>
    public async Task FetchWholeAsync(PartialFile into, FetchProgress report, CancellationToken cancellationToken)
    {
        if (!into.HashesProven)
        {
            // Without proven hashes a chunk left by another source cannot be told from a right one: begin anew.
            into.Forget();
        }

        var isPage = await ReceiveWholeAsync(
            into.Key,
            into.Size,
            (firstChunk, bytes) => Put(into, firstChunk, bytes, report),
            report,
            cancellationToken
        );
        if (!into.ProveWhole())
        {
            throw WrongWhole(isPage);
        }
    }

    /// <summary>Brings a whole small content into memory and proves it.</summary>
    public virtual async Task<ProvenBytes> FetchBytesAsync(
        FileKey key,
        Fingerprint fingerprint,
        int size,
        FetchProgress report,
        CancellationToken cancellationToken
    )
    {
        var owner = MemoryPool<byte>.Shared.Rent(size);
        try
        {
            var whole = owner.Memory[..size];
            var isPage = await ReceiveWholeAsync(
                key,
                size,
                (firstChunk, bytes) =>
                {
                    bytes.CopyTo(whole.Span[(int)(firstChunk * ChunkFrame.ChunkLength)..]);
                    report.Brought((int)ChunkFrame.ChunkCount(bytes.Length));
                },
                report,
                cancellationToken
            );
            return ProvenBytes.TryProve(fingerprint, whole, owner) ?? throw WrongWhole(isPage);
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }

    /// <summary>Hands on a run of whole chunks; the bytes are good until it returns.</summary>
    protected delegate void ChunkSink(long firstChunk, ReadOnlySpan<byte> bytes);

    /// <summary>Receives a whole content.</summary>
    /// <returns>Whether the answer called itself a page.</returns>
    protected virtual async Task<bool> ReceiveWholeAsync(
        FileKey key,
        long size,
        ChunkSink put,
        FetchProgress report,
        CancellationToken cancellationToken
    )
    {
        await using var body = await OpenAsync(ContentRequest(key), "content", size, report, cancellationToken);
        await ReadContentAsync(body, 0, size, put, cancellationToken);
        return body.IsPage;
    }

    protected abstract HttpRequestMessage ProbeRequest(FileKey key);

    /// <summary>Asks for the bytes of a content as they are.</summary>
    protected abstract HttpRequestMessage ContentRequest(FileKey key, (long First, long Last)? range = null);

    /// <summary>Where the chunk hashes of a file are.</summary>
    protected abstract string HashesPathOf(FileKey key);

    /// <summary>A request for a path below the source's address, whole or for a range of bytes.</summary>
    protected HttpRequestMessage Request(string path, (long First, long Last)? range = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, path));
        if (range is var (first, last))
        {
            request.Headers.TryAddWithoutValidation("Range", $"bytes={first}-{last}");
        }

        return request;
    }

    /// <summary>Sends a request and answers with a body that is the whole, or exactly the range, that was asked for.</summary>
    protected async Task<SourceBody> OpenAsync(
        HttpRequestMessage request,
        string what,
        long? expectedLength,
        FetchProgress report,
        CancellationToken cancellationToken
    )
    {
        var watch = Watch(cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            var isRange = request.Headers.Contains("Range");
            try
            {
                response = await http.SendAsync(request, watch.Token);
            }
            catch (Exception e) when (FaultOf(e, watch, cancellationToken) is not null)
            {
                throw FaultOf(e, watch, cancellationToken)!;
            }
            finally
            {
                request.Dispose();
            }

            watch.Start();
            report.Answered();
            await RequireSuccessAsync(response, watch, cancellationToken);
            if (response.StatusCode != (isRange ? HttpStatusCode.PartialContent : HttpStatusCode.OK))
            {
                throw SaysPage(response)
                    ? NotTheFile("answered with a page, so it does not have the file")
                    : Fault(
                        SourceFaultKind.Refused,
                        $"answered {(int)response.StatusCode} to a request for {(isRange ? "a range" : "the whole")}"
                    );
            }

            if (response.Content.Headers.ContentLength is { } length && expectedLength is { } expected && length != expected)
            {
                throw NotTheFile($"has {length} bytes of {what} where the file has {expected}");
            }

            return new SourceBody(
                this,
                response,
                await response.Content.ReadAsStreamAsync(cancellationToken),
                watch,
                isOfUnknownLength: response.Headers.TransferEncodingChunked == true && expectedLength is not null,
                isPage: SaysPage(response)
            );
        }
        catch
        {
            response?.Dispose();
            watch.Dispose();
            throw;
        }
    }

    internal SourceException WrongWhole(bool isPage = false) =>
        isPage
            ? NotTheFile("answered with a page, so it does not have the file")
            : Wrong("sent a content with another fingerprint", chunk: null, "the content has another fingerprint");

    /// <summary>It sent bytes that are not the file's.</summary>
    internal SourceException Wrong(string what, long? chunk, string damage) =>
        Fault(SourceFaultKind.Corrupt, what, damage: new SourceDamage(chunk, damage));

    /// <summary>It has something else under the name, or not yet all of it: whoever fills a folder, or answers for names it does not know.</summary>
    internal SourceException NotTheFile(string what) =>
        Fault(SourceFaultKind.NotFound, what, damage: new SourceDamage(Chunk: null, what));

    private static bool SaysPage(HttpResponseMessage response) =>
        response.Content.Headers.ContentType?.MediaType is "text/html" or "application/xhtml+xml";

    /// <summary>Puts bytes of the content as they come.</summary>
    protected static Task ReadContentAsync(
        SourceBody body,
        long from,
        long length,
        ChunkSink put,
        CancellationToken cancellationToken
    ) =>
        body.ReadBytesAsync(
            length,
            ChunkFrame.ChunkLength,
            "content",
            (offset, bytes) => put((from + offset) / ChunkFrame.ChunkLength, bytes.Span),
            cancellationToken
        );

    /// <summary>Puts a run that came into the partial, in so far as it is right.</summary>
    protected void Put(PartialFile into, long firstChunk, ReadOnlySpan<byte> bytes, FetchProgress report)
    {
        var put = into.Put(firstChunk, bytes);
        if (put.Kind == PutKind.Stored)
        {
            report.Brought((int)ChunkFrame.ChunkCount(bytes.Length));
            return;
        }

        if (put.Kind == PutKind.WrongChunk)
        {
            report.Brought((int)(put.ChunkId - firstChunk));
        }

        throw Wrong($"sent chunk {put.ChunkId} with other bytes than the file has", put.ChunkId, "the chunk has other bytes");
    }

    protected internal SourceException Fault(
        SourceFaultKind fault,
        string what,
        Exception? cause = null,
        TimeSpan? retryAfter = null,
        SourceDamage? damage = null
    ) => new(fault, $"{name} at {url.OriginalString} {what}", cause, retryAfter, damage);

    private MinimumRateMonitor Watch(CancellationToken cancellationToken)
    {
        var watch = new MinimumRateMonitor(
            terms.Options.StallFloorBytesPerSecond,
            terms.Options.StallPeriod,
            _meter,
            terms.Time,
            cancellationToken
        );
        watch.StartForHead(terms.LongestToFirstByte);
        return watch;
    }

    private async Task RequireSuccessAsync(
        HttpResponseMessage response,
        MinimumRateMonitor watch,
        CancellationToken cancellationToken
    )
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK or HttpStatusCode.PartialContent:
                return;
            case HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.Gone:
                throw Fault(SourceFaultKind.NotFound, "does not have the file");
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                throw NotTheFile("has fewer bytes than the file");
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
                throw Fault(SourceFaultKind.Refused, $"{Refusal} ({(int)response.StatusCode})");
            case HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable:
                throw await NotNowAsync(response, watch, cancellationToken);
            case var status:
                throw Fault(SourceFaultKind.Refused, $"answered {(int)status}");
        }
    }

    /// <summary>In seconds, or until a date by the source's own clock where it says what that is.</summary>
    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        var said = response.Headers.RetryAfter;
        var wait = said?.Delta ?? (said?.Date - (response.Headers.Date ?? terms.Time.GetUtcNow()));
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    /// <summary>What a source does that answers 401 or 403, and what to do about it.</summary>
    protected virtual string Refusal => "refuses to serve this node";

    /// <summary>It gives it to others now, has not got it yet while others have, or wants to be left alone.</summary>
    private async Task<SourceException> NotNowAsync(
        HttpResponseMessage response,
        MinimumRateMonitor watch,
        CancellationToken cancellationToken
    )
    {
        var text = new byte[LongestProblem];
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var length = await TranslateNetworkErrorsAsync(
            async token => await body.ReadAtLeastAsync(text, text.Length, throwOnEndOfStream: false, token),
            watch,
            cancellationToken
        );
        var retryAfter = RetryAfterOf(response);
        if (text.AsSpan(0, length).IndexOf(_busy) >= 0)
        {
            return Fault(SourceFaultKind.Busy, "sends it to another node now", retryAfter: retryAfter ?? TimeSpan.FromSeconds(1));
        }

        if (text.AsSpan(0, length).IndexOf(_elsewhere) >= 0)
        {
            return Fault(SourceFaultKind.NotFound, "does not have the file");
        }

        var wish = retryAfter is { } wait ? $": it wants to be asked again in {wait.TotalSeconds:0} s" : "";
        return Fault(SourceFaultKind.Throttled, $"answered {(int)response.StatusCode}{wish}", retryAfter: retryAfter);
    }
}
