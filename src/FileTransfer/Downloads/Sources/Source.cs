using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Sources;

/// <summary>A place where contents can be had over HTTP: its address, and what it serves under which path.</summary>
/// <remarks>Nothing it sends is believed. Every fault is thrown as a <see cref="SourceException"/> that names the source.</remarks>
public abstract partial class Source(SourceId id, string name, Uri url, HttpMessageInvoker http, SourceClientOptions options)
{
    /// <summary>Bytes of JSON: an owner, a bucket and a location are names.</summary>
    protected const int LongestMetadata = 256 * 1024;

    private static readonly TimeSpan _freshFor = TimeSpan.FromSeconds(1);

    private readonly ByteCounter _received = new();
    private readonly long _knownSince = options.Time.GetTimestamp();

    /// <summary>Hands on a run of whole chunks; the bytes are good until it returns.</summary>
    protected delegate void ChunkSink(long firstChunk, ReadOnlySpan<byte> bytes);

    public SourceId Id => id;

    protected TimeProvider Time => options.Time;

    public Uri Url => url;

    /// <summary>Its address has just been looked up.</summary>
    public bool IsFresh => options.Time.GetElapsedTime(_knownSince) < _freshFor;

    /// <summary>Waits until so many bytes may be taken from it.</summary>
    internal ValueTask AcquireAsync(int bytes, CancellationToken cancellationToken) =>
        options.AcquireAsync(id, bytes, cancellationToken);

    /// <summary>Asks for the first bytes of a file, to see whether it answers. What it says of the file does not matter.</summary>
    /// <param name="isPatient">Waits for the head of the answer as long as for any.</param>
    /// <returns>Whether it does ranges; null where its answer does not say.</returns>
    public async Task<bool?> ProbeAsync(FileKey key, bool isPatient, CancellationToken cancellationToken)
    {
        using var monitor = Monitor(cancellationToken);
        if (!isPatient)
        {
            monitor.Start();
        }

        var request = ProbeRequest(key);
        using var response = await SendAsync(request, monitor, cancellationToken);
        monitor.Start();
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await ReadAtLeastAsync(body, new byte[ChunkFrame.Length], 1, monitor, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.PartialContent => true,
            HttpStatusCode.OK when !IsPage(response) => false,
            _ => null,
        };
    }

    /// <summary>Fills in chunk hashes of a partial; all of them are proven against its fingerprint, a part is not.</summary>
    public async Task FetchHashesAsync(
        PartialFile into,
        ChunkRange chunks,
        FetchProgress progress,
        CancellationToken cancellationToken
    )
    {
        var isWhole = chunks.Count == into.ChunkCount;
        var first = chunks.First * Hash256.Length;
        var end = chunks.End == into.ChunkCount ? into.Hashes.EncodedLength : chunks.End * Hash256.Length;
        var request = ForPartial(into, Request(HashesPathOf(into.Key), isWhole ? null : (first, end - 1)));
        await using var body = await OpenAsync(request, "chunk hashes", end - first, progress, cancellationToken);
        await body.ReadBytesAsync(
            end - first,
            Hash256.Length,
            "the chunk hashes",
            (offset, bytes) =>
            {
                into.Hashes.WriteEncoded(first + offset, bytes.Span);
                progress.ReportChunks(bytes.Length / Hash256.Length);
            },
            cancellationToken
        );
        if (isWhole && !into.VerifyHashes())
        {
            const string damage = "the chunk hashes do not make up the fingerprint";
            throw body.IsPage
                ? Page("chunk hashes")
                : Corrupt("sent chunk hashes that do not make up the fingerprint", null, damage);
        }
    }

    /// <summary>Puts a run of chunks into the partial as they come, each proven by its hash.</summary>
    /// <remarks>The bytes are asked for as they are: frames would have to be taken apart, and say nothing that the range does not.</remarks>
    public async Task FetchWindowAsync(
        PartialFile into,
        ChunkRange window,
        FetchProgress progress,
        CancellationToken cancellationToken
    )
    {
        var first = window.First * ChunkFrame.ChunkLength;
        var length = Math.Min(window.End * ChunkFrame.ChunkLength, into.Size) - first;
        var request = ForPartial(into, ContentRequest(into.Key, (first, first + length - 1)));
        await using var body = await OpenAsync(request, "content", length, progress, cancellationToken);
        await ReadContentAsync(body, first, length, PutInto(into, progress), cancellationToken);
    }

    /// <summary>Puts a whole content into the partial and proves it.</summary>
    public async Task FetchWholeAsync(PartialFile into, FetchProgress progress, CancellationToken cancellationToken)
    {
        if (!into.HashesProven)
        {
            // Without proven hashes a chunk left by another source cannot be told from a right one: begin anew.
            into.Forget();
        }

        var isPage = await ReceiveWholeAsync(into.Key, into.Size, PutInto(into, progress), progress, cancellationToken);
        if (!into.ProveWhole())
        {
            throw CorruptWhole(isPage);
        }
    }

    /// <summary>Fetches a whole small content into memory and proves it.</summary>
    public virtual async Task<ProvenBytes> FetchBytesAsync(
        FileKey key,
        Fingerprint fingerprint,
        int size,
        FetchProgress progress,
        CancellationToken cancellationToken
    )
    {
        var owner = MemoryPool<byte>.Shared.Rent(size);
        try
        {
            var whole = owner.Memory[..size];
            void Put(long firstChunk, ReadOnlySpan<byte> bytes)
            {
                bytes.CopyTo(whole.Span[(int)(firstChunk * ChunkFrame.ChunkLength)..]);
                progress.ReportChunks((int)ChunkFrame.ChunkCount(bytes.Length));
            }

            var isPage = await ReceiveWholeAsync(key, size, Put, progress, cancellationToken);
            return ProvenBytes.TryProve(fingerprint, whole, owner) ?? throw CorruptWhole(isPage);
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }

    /// <summary>Receives a whole content.</summary>
    /// <returns>Whether the answer called itself a page.</returns>
    protected virtual async Task<bool> ReceiveWholeAsync(
        FileKey key,
        long size,
        ChunkSink put,
        FetchProgress progress,
        CancellationToken cancellationToken
    )
    {
        await using var body = await OpenAsync(ContentRequest(key), "content", size, progress, cancellationToken);
        await ReadContentAsync(body, 0, size, put, cancellationToken);
        return body.IsPage;
    }

    /// <summary>Asks for the metadata of a file, which its key proves.</summary>
    public async Task<FileMetadata> FetchMetadataAsync(FileKey key, CancellationToken cancellationToken)
    {
        if (MetadataPathOf(key) is not { } path)
        {
            throw Fault(SourceFaultKind.NotFound, "has no metadata of files");
        }

        var progress = new FetchProgress(static () => { }, static _ => { }, options.Time);
        await using var body = await OpenAsync(Request(path), "metadata", expectedLength: null, progress, cancellationToken);
        var json = await body.ReadAllAsync(LongestMetadata, "metadata", cancellationToken);
        try
        {
            var described = JsonSerializer.Deserialize(json.Span, SparseJson.Default.FileRegistration);
            var (metadata, fault) = (described ?? throw new JsonException("It is null.")).Read();
            return metadata?.ComputeKey() == key ? metadata
                : body.IsPage ? throw Page("metadata of the file")
                : throw NotTheFile($"has metadata of another file{(fault is null ? "" : $": {fault.Detail}")}");
        }
        catch (JsonException malformed)
        {
            throw NotTheFile($"has metadata that cannot be read: {malformed.Message}");
        }
    }

    protected abstract HttpRequestMessage ProbeRequest(FileKey key);

    /// <summary>Where the metadata of a file is; null where there is none.</summary>
    protected virtual string? MetadataPathOf(FileKey key) => null;

    /// <summary>Asks for the bytes of a content as they are.</summary>
    protected abstract HttpRequestMessage ContentRequest(FileKey key, (long First, long Last)? range = null);

    /// <summary>Where the chunk hashes of a file are.</summary>
    protected abstract string HashesPathOf(FileKey key);

    /// <summary>A request for a part of a content that comes in windows.</summary>
    protected virtual HttpRequestMessage ForPartial(PartialFile into, HttpRequestMessage request) => request;

    private static Task ReadContentAsync(
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
    private ChunkSink PutInto(PartialFile into, FetchProgress progress) =>
        (firstChunk, bytes) =>
        {
            var put = into.Put(firstChunk, bytes);
            if (put.Kind == PutKind.Stored)
            {
                progress.ReportChunks((int)ChunkFrame.ChunkCount(bytes.Length));
                return;
            }

            if (put.Kind == PutKind.WrongChunk)
            {
                progress.ReportChunks((int)(put.ChunkId - firstChunk));
            }

            var what = $"sent chunk {put.ChunkId} with other bytes than the file has";
            throw Corrupt(what, put.ChunkId, "the chunk has other bytes");
        };
}
