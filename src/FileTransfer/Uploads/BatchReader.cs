using FileTransfer.Chunks;

namespace FileTransfer.Uploads;

/// <summary>A file of a batch as it comes.</summary>
/// <param name="Index">Its place in the batch, from 0.</param>
/// <param name="Metadata">JSON; null where it was too long, and passed over.</param>
/// <param name="Size">Of its bytes.</param>
/// <param name="Content">The bytes of a small file; null where they are still to be read.</param>
/// <param name="IsCut">The body ends inside it.</param>
internal sealed record BatchEntry(int Index, byte[]? Metadata, ulong Size, IMemoryOwner<byte>? Content, bool IsCut = false)
{
    /// <summary>A content up to this size is read with its metadata; the bytes of a larger one are asked for, or passed over.</summary>
    public const int SmallUpTo = ChunkStore.SmallUpTo;

    public bool IsLarge => Size > SmallUpTo;

    public ReadOnlyMemory<byte> Bytes => Content!.Memory[..(int)Size];
}

/// <summary>Takes a batch apart. See <see cref="FileBatch"/> for its format.</summary>
internal sealed class BatchReader(PipeReader body, CancellationToken cancellationToken) : IAsyncDisposable
{
    private readonly byte[] _number = new byte[sizeof(ulong)];
    private Task<BatchEntry?>? _next;
    private int _index = -1;
    private ulong _left;

    /// <summary>The next file; null at the end. It is read from now on, if it was not before.</summary>
    public Task<BatchEntry?> PeekAsync() => _next ??= ReadAsync();

    /// <summary>The file that <see cref="PeekAsync"/> has read. The bytes of a large one are to be read, or passed over, before the next.</summary>
    public BatchEntry Take()
    {
        var entry = _next!.Result!;
        _next = null;
        return entry;
    }

    /// <summary>Reads the bytes of a large file.</summary>
    /// <returns>False where the body ends before.</returns>
    public Task<bool> CopyAsync(IncomingFile incoming) => ReadAsync(_left, incoming.Append);

    /// <summary>Passes over the bytes of a large file.</summary>
    /// <inheritdoc cref="CopyAsync"/>
    public Task<bool> PassAsync() => PassAsync(_left);

    /// <summary>Whoever drops what is left of the body must find nobody reading it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_next is { } next)
        {
            body.CancelPendingRead();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (next.IsCompletedSuccessfully)
            {
                next.Result?.Content?.Dispose();
            }
        }
    }

    private async Task<BatchEntry?> ReadAsync()
    {
        _index++;
        var began = await ReadAsync(_number.AsMemory(0, sizeof(uint)));
        if (began == 0)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(_number);
        var metadata = length <= FileBatch.LargestMetadata ? new byte[length] : null;
        var isWhole =
            began == sizeof(uint)
            && (metadata is null ? await PassAsync(length) : await ReadAsync(metadata) == metadata.Length)
            && await ReadAsync(_number) == sizeof(ulong);
        if (!isWhole)
        {
            return Cut();
        }

        _left = BinaryPrimitives.ReadUInt64LittleEndian(_number);
        return _left > BatchEntry.SmallUpTo
            ? new BatchEntry(_index, metadata, _left, null)
            : await ReadSmallAsync(metadata, (int)_left);
    }

    private async Task<BatchEntry> ReadSmallAsync(byte[]? metadata, int size)
    {
        var content = MemoryPool<byte>.Shared.Rent(size);
        var isWhole = false;
        try
        {
            isWhole = await ReadAsync(content.Memory[..size]) == size;
            return isWhole ? new BatchEntry(_index, metadata, (ulong)size, content) : Cut();
        }
        finally
        {
            if (!isWhole)
            {
                content.Dispose();
            }
        }
    }

    private BatchEntry Cut() => new(_index, null, 0, null, IsCut: true);

    private Task<bool> PassAsync(ulong length) => ReadAsync(length, static _ => { });

    /// <returns>How many bytes there were; fewer than asked for at the end of the body.</returns>
    private async Task<int> ReadAsync(Memory<byte> destination)
    {
        var rest = destination;
        await ReadAsync(
            (ulong)destination.Length,
            piece =>
            {
                piece.CopyTo(rest.Span);
                rest = rest[piece.Length..];
            }
        );
        return destination.Length - rest.Length;
    }

    private async Task<bool> ReadAsync(ulong length, Action<ReadOnlySpan<byte>> take)
    {
        while (length > 0)
        {
            var read = await body.ReadAsync(cancellationToken);
            if (read.IsCanceled)
            {
                throw new OperationCanceledException("The rest of the batch is not read.");
            }

            var taken = read.Buffer.Slice(0, (long)Math.Min(length, (ulong)read.Buffer.Length));
            foreach (var piece in taken)
            {
                take(piece.Span);
            }

            length -= (ulong)taken.Length;
            body.AdvanceTo(taken.End);
            if (read.IsCompleted && taken.IsEmpty)
            {
                return false;
            }
        }

        return true;
    }
}
