using FileTransfer.Chunks.Frames;

namespace FileTransfer.Cli.Client;

/// <summary>A file as the body of an upload: frames <c>u64 LE chunk id ‖ chunk</c>, in order of id.</summary>
/// <remarks>Tells <c>sent</c> how many bytes of the content are on their way.</remarks>
/// <param name="path">For words.</param>
/// <param name="file">What is sent.</param>
/// <param name="size">Of all of it.</param>
/// <param name="firstChunk">The first chunk that is sent; the node has those before it.</param>
/// <param name="sent">Told what is on its way.</param>
public sealed class UploadBody(string path, SafeFileHandle file, long size, long firstChunk, IProgress<long> sent) : WatchedBody
{
    private const int ChunksPerWrite = 256;

    public long Size => size;

    protected override bool TryComputeLength(out long length)
    {
        length = ChunkFrame.BodyLength(size) - (firstChunk * ChunkFrame.Length);
        return true;
    }

    protected override async Task WriteAsync(Stream stream, CancellationToken cancellationToken)
    {
        var chunks = ArrayPool<byte>.Shared.Rent(ChunksPerWrite * ChunkFrame.ChunkLength);
        var frames = ArrayPool<byte>.Shared.Rent(ChunksPerWrite * ChunkFrame.Length);
        try
        {
            for (var at = firstChunk * ChunkFrame.ChunkLength; at < size; )
            {
                var count = (int)Math.Min(ChunksPerWrite * ChunkFrame.ChunkLength, size - at);
                await ReadExactlyAsync(chunks.AsMemory(0, count), at, cancellationToken);
                var framed = Frame(chunks.AsSpan(0, count), at / ChunkFrame.ChunkLength, frames);
                Moved();
                await stream.WriteAsync(frames.AsMemory(0, framed), cancellationToken);
                at += count;
                sent.Report(at);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunks);
            ArrayPool<byte>.Shared.Return(frames);
        }
    }

    private static int Frame(ReadOnlySpan<byte> chunks, long firstChunk, Span<byte> frames)
    {
        var written = 0;
        for (var id = firstChunk; !chunks.IsEmpty; id++)
        {
            var length = Math.Min(ChunkFrame.ChunkLength, chunks.Length);
            BinaryPrimitives.WriteInt64LittleEndian(frames[written..], id);
            chunks[..length].CopyTo(frames[(written + ChunkFrame.IdLength)..]);
            written += ChunkFrame.IdLength + length;
            chunks = chunks[length..];
        }

        return written;
    }

    private async ValueTask ReadExactlyAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                var read = await RandomAccess.ReadAsync(file, destination, offset, cancellationToken);
                if (read == 0)
                {
                    throw new IOException($"{path} became shorter while it was sent. Put it again when nobody writes to it.");
                }

                destination = destination[read..];
                offset += read;
            }
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            LocalFault = fault;
            throw;
        }
    }
}
