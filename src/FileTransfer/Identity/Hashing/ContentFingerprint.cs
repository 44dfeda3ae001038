namespace FileTransfer.Identity.Hashing;

/// <summary>The fingerprint of a whole content, for 32 bytes of state per chunk: in memory while they are few, else in a temporary file.</summary>
public static class ContentFingerprint
{
    /// <summary>What one read asks for; small enough to be hashed while it is in the core's own cache.</summary>
    private const int PieceLength = PieceBufferPool.PieceLength;

    public static Fingerprint Of(ReadOnlySpan<byte> content)
    {
        using var hashes = ChunkHashes.Create(content.Length);
        hashes.Set(0, content);
        return hashes.ComputeFingerprint();
    }

    /// <inheritdoc cref="OfFileAsync(string, IProgress{long}, CancellationToken)"/>
    public static Task<Fingerprint> OfFileAsync(string path, CancellationToken cancellationToken) =>
        OfFileAsync(path, bytesDone: null, cancellationToken);

    /// <summary>A file of known size is read and hashed on the caller's thread and on others beside it; what has no size, as it comes.</summary>
    /// <param name="path">A file, or anything else that can be read to an end.</param>
    /// <param name="bytesDone">Told how many bytes are hashed, as they grow.</param>
    /// <exception cref="IOException">The file could not be read, or its size changed while it was.</exception>
    public static async Task<Fingerprint> OfFileAsync(
        string path,
        IProgress<long>? bytesDone,
        CancellationToken cancellationToken
    )
    {
        await using var stream = new FileStream(
            path,
            new FileStreamOptions { BufferSize = 0, Options = FileOptions.Asynchronous | FileOptions.SequentialScan }
        );
        var size = stream.CanSeek ? stream.Length : 0;

        // Pipes have no size, and what the kernel makes up on reading says 0.
        if (size == 0)
        {
            return await OfStreamAsync(stream, bytesDone, cancellationToken);
        }

        var file = stream.SafeFileHandle;
        using var hashes = ChunkHashes.Create(size);
        var pieces = (size + PieceLength - 1) / PieceLength;
        var done = 0L;
        ParallelRanges.Run(
            pieces,
            Environment.ProcessorCount,
            piece =>
            {
                // Read and hashed by one thread: handing a piece on costs more than reading it.
                var offset = piece * PieceLength;
                var buffer = ArrayPool<byte>.Shared.Rent(PieceLength);
                try
                {
                    var bytes = buffer.AsSpan(0, (int)Math.Min(PieceLength, size - offset));
                    for (var filled = 0; filled < bytes.Length; )
                    {
                        var read = RandomAccess.Read(file, bytes[filled..], offset + filled);
                        filled += read > 0 ? read : throw ChangedWhileRead(path, size);
                    }

                    hashes.Set(offset / ChunkHashes.ChunkSize, bytes);
                    bytesDone?.Report(Interlocked.Add(ref done, bytes.Length));
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            },
            cancellationToken
        );

        return RandomAccess.GetLength(file) == size ? hashes.ComputeFingerprint() : throw ChangedWhileRead(path, size);
    }

    public static Task<Fingerprint> OfStreamAsync(Stream content, CancellationToken cancellationToken) =>
        OfStreamAsync(content, bytesDone: null, cancellationToken);

    /// <summary>Reads the stream to its end, the next piece while one is hashed.</summary>
    public static async Task<Fingerprint> OfStreamAsync(
        Stream content,
        IProgress<long>? bytesDone,
        CancellationToken cancellationToken
    )
    {
        using var growing = new GrowingChunkHashes();
        var current = ArrayPool<byte>.Shared.Rent(PieceLength);
        var next = ArrayPool<byte>.Shared.Rent(PieceLength);
        try
        {
            var read = await content.ReadAtLeastAsync(current, PieceLength, throwOnEndOfStream: false, cancellationToken);
            while (read > 0)
            {
                var reading = content.ReadAtLeastAsync(next, PieceLength, throwOnEndOfStream: false, cancellationToken).AsTask();
                try
                {
                    growing.Append(current.AsSpan(0, read));
                }
                finally
                {
                    // A buffer goes back to the pool only when nobody writes to it any more.
                    await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                bytesDone?.Report(growing.Size);
                read = await reading;
                (current, next) = (next, current);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(current);
            ArrayPool<byte>.Shared.Return(next);
        }

        using var hashes = growing.Complete();
        return hashes.ComputeFingerprint();
    }

    private static IOException ChangedWhileRead(string path, long size) =>
        new($"{path} had {size} bytes and changed while it was read; try again when nobody writes to it.");
}
