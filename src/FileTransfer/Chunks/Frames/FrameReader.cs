using System.Runtime.ExceptionServices;

namespace FileTransfer.Chunks.Frames;

/// <summary>
/// Takes a framed body apart. Yields runs of consecutive chunks, at most <see cref="MaxRunChunks"/> each and never waiting to make
/// one longer; a run's memory is valid until the next read. What came before a fault is yielded before it.
/// </summary>
/// <param name="body">The body; advanced, never completed.</param>
/// <param name="size">Bytes of the file whose chunks are expected.</param>
public sealed class FrameReader(PipeReader body, long size) : IDisposable
{
    public const int MaxRunChunks = 256;

    private readonly long _chunkCount = ChunkFrame.ChunkCount(size);
    private readonly int _capacity = (int)Math.Min(MaxRunChunks, ChunkFrame.ChunkCount(size)) * ChunkFrame.ChunkLength;
    private byte[]? _buffer;
    private long _framesTaken;
    private long _runFirst;
    private int _runChunks;
    private int _runBytes;
    private FrameFault? _fault;
    private bool _ended;
    private ExceptionDispatchInfo? _failure;

    /// <summary>A pipe with a buffer for a whole run; the default one would make runs of three chunks.</summary>
    public static PipeReader PipeOver(Stream stream) =>
        PipeReader.Create(
            stream,
            new StreamPipeReaderOptions(bufferSize: 256 * 1024, minimumReadSize: 4 * ChunkFrame.Length, leaveOpen: true)
        );

    public async ValueTask<FrameRead> ReadAsync(CancellationToken cancellationToken)
    {
        _buffer ??= ArrayPool<byte>.Shared.Rent(_capacity);
        _runChunks = 0;
        _runBytes = 0;
        while (_fault is null && !_ended && _failure is null)
        {
            ReadResult read;
            if (_runChunks == 0)
            {
                read = await body.ReadAsync(cancellationToken);
            }
            else if (!TryReadMore(out read))
            {
                break;
            }

            if (read.IsCanceled)
            {
                body.AdvanceTo(read.Buffer.Start);
                throw new OperationCanceledException("The reading of the body was cancelled.");
            }

            var rest = read.Buffer;
            var wantsMore = Take(ref rest, read.IsCompleted);
            body.AdvanceTo(rest.Start, wantsMore ? read.Buffer.End : rest.Start);
            if (!wantsMore)
            {
                break;
            }
        }

        if (_runChunks > 0)
        {
            return new FrameRead(FrameReadKind.Run, new ChunkRun(_runFirst, _buffer.AsMemory(0, _runBytes)), null);
        }

        _failure?.Throw();
        return _fault is null
            ? new FrameRead(FrameReadKind.End, default, null)
            : new FrameRead(FrameReadKind.Fault, default, _fault);
    }

    public void Dispose()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = null;
        }
    }

    /// <summary>More of the body if it is there already. A broken body is told about after the run in hand.</summary>
    private bool TryReadMore(out ReadResult read)
    {
        try
        {
            return body.TryRead(out read);
        }
        catch (Exception exception)
        {
            _failure = ExceptionDispatchInfo.Capture(exception);
            read = default;
            return false;
        }
    }

    /// <summary>Moves frames to the run in hand; true when it could take more than the buffer holds.</summary>
    private bool Take(ref ReadOnlySequence<byte> rest, bool isCompleted)
    {
        while (rest.Length >= ChunkFrame.Length)
        {
            var id = IdOf(rest);
            if (IsRefused(id))
            {
                return false;
            }

            var expected = ChunkFrame.ChunkLengthOf((long)id, size);
            if (expected < ChunkFrame.ChunkLength)
            {
                return Refuse(
                    FrameFaultKind.ShortFrameInside,
                    id,
                    $"Chunk {id} has {expected} bytes, yet its frame is followed by more; only the final frame of a body may be short."
                );
            }

            if (!TryAppend((long)id, rest.Slice(ChunkFrame.IdLength, ChunkFrame.ChunkLength)))
            {
                return false;
            }

            rest = rest.Slice(ChunkFrame.Length);
        }

        return !isCompleted || TakeFinal(ref rest);
    }

    /// <summary>The final frame, when it is shorter than a whole one; always false: nothing can follow.</summary>
    private bool TakeFinal(ref ReadOnlySequence<byte> rest)
    {
        if (rest.IsEmpty)
        {
            _ended = true;
            return false;
        }

        if (rest.Length <= ChunkFrame.IdLength)
        {
            return Refuse(
                FrameFaultKind.Truncated,
                rest.Length == ChunkFrame.IdLength ? IdOf(rest) : null,
                $"The body ends after {rest.Length} bytes of a frame; a frame is 8 bytes of chunk id and the chunk."
            );
        }

        var id = IdOf(rest);
        if (IsRefused(id))
        {
            return false;
        }

        var expected = ChunkFrame.ChunkLengthOf((long)id, size);
        var length = rest.Length - ChunkFrame.IdLength;
        if (length != expected)
        {
            return Refuse(
                FrameFaultKind.Truncated,
                id,
                $"The final frame carries {length} bytes of chunk {id}, which has {expected}."
            );
        }

        if (TryAppend((long)id, rest.Slice(ChunkFrame.IdLength)))
        {
            rest = rest.Slice(rest.End);
            _ended = true;
        }

        return false;
    }

    private bool IsRefused(ulong id)
    {
        if (id >= (ulong)_chunkCount)
        {
            Refuse(
                FrameFaultKind.IdOutOfRange,
                id,
                $"There is no chunk {id}: a file of {size} bytes has the chunks 0 to {_chunkCount - 1}."
            );
        }
        else if (_framesTaken >= 2 * _chunkCount)
        {
            Refuse(
                FrameFaultKind.TooManyFrames,
                id,
                $"The body holds more than {2 * _chunkCount} frames for the {_chunkCount} chunks of the file."
            );
        }

        return _fault is not null;
    }

    /// <summary>Always false: nothing more is taken.</summary>
    private bool Refuse(FrameFaultKind kind, ulong? id, string reason)
    {
        _fault = new FrameFault(kind, id, reason);
        return false;
    }

    /// <summary>False when the chunk does not continue the run in hand; it is then the first of the next.</summary>
    private bool TryAppend(long id, ReadOnlySequence<byte> chunk)
    {
        if (_runChunks == 0)
        {
            _runFirst = id;
        }
        else if (id != _runFirst + _runChunks || _runBytes + (int)chunk.Length > _capacity)
        {
            return false;
        }

        chunk.CopyTo(_buffer.AsSpan(_runBytes));
        _runBytes += (int)chunk.Length;
        _runChunks++;
        _framesTaken++;
        return true;
    }

    private static ulong IdOf(in ReadOnlySequence<byte> frame)
    {
        if (frame.FirstSpan.Length >= ChunkFrame.IdLength)
        {
            return BinaryPrimitives.ReadUInt64LittleEndian(frame.FirstSpan);
        }

        Span<byte> id = stackalloc byte[ChunkFrame.IdLength];
        frame.Slice(0, ChunkFrame.IdLength).CopyTo(id);
        return BinaryPrimitives.ReadUInt64LittleEndian(id);
    }
}
