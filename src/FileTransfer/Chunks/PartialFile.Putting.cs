using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Chunks;

public sealed partial class PartialFile
{
    /// <summary>After so many proven bytes the system is to begin writing them, while the rest comes.</summary>
    private const int WriteOutBytes = 32 * 1024 * 1024;

    private long _unwritten;

    /// <summary>Takes a run of whole chunks; see <see cref="PutOutcome"/>.</summary>
    /// <exception cref="DiskFullException">There is no room for them.</exception>
    public PutOutcome Put(long firstChunk, ReadOnlySpan<byte> bytes)
    {
        RequireRun(firstChunk, bytes.Length);
        return HashesProven ? PutProven(firstChunk, bytes) : PutUnproven(firstChunk, bytes);
    }

    private PutOutcome PutProven(long firstChunk, ReadOnlySpan<byte> bytes)
    {
        var wrong = Hashes.FirstMismatch(firstChunk, bytes);
        if (wrong < 0)
        {
            WriteProven(firstChunk, bytes);
            return PutOutcome.Stored;
        }

        // What follows a wrong chunk is not taken: whoever counts what came in order counts what is here.
        WriteProven(firstChunk, bytes[..((int)(wrong - firstChunk) * ChunkFrame.ChunkLength)]);
        return new PutOutcome(PutKind.WrongChunk, wrong);
    }

    private void WriteProven(long firstChunk, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
        {
            return;
        }

        Write(firstChunk, bytes);
        bool isDue;
        lock (_gate)
        {
            _present.Add(firstChunk, CountOf(bytes.Length));
            _unwritten += bytes.Length;
            isDue = _unwritten >= WriteOutBytes;
            _unwritten = isDue ? 0 : _unwritten;
        }

        Arriving?.Arrived(firstChunk, firstChunk + CountOf(bytes.Length));

        if (isDue)
        {
            DurableFile.BeginWriting(_data);
        }
    }

    private PutOutcome PutUnproven(long firstChunk, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (!_putSinceOpen.ContainsAny(firstChunk, CountOf(bytes.Length)))
            {
                Record(firstChunk, bytes);
                return PutOutcome.Stored;
            }

            for (var chunk = firstChunk; bytes.Length > 0; chunk++)
            {
                var one = bytes[..Math.Min(bytes.Length, ChunkFrame.ChunkLength)];
                bytes = bytes[one.Length..];
                if (!_putSinceOpen.Contains(chunk))
                {
                    Record(chunk, one);
                }
                else if (Hashes.FirstMismatch(chunk, one) >= 0)
                {
                    return new PutOutcome(PutKind.Conflict, chunk);
                }
            }

            return PutOutcome.Stored;
        }
    }

    private void Record(long firstChunk, ReadOnlySpan<byte> bytes)
    {
        IsProven = false;
        try
        {
            Hashes.Set(firstChunk, bytes);
            Write(firstChunk, bytes);
        }
        catch (Exception exception)
        {
            // Hashes and data may disagree now, and the root is computed from the hashes alone: nothing here counts any more.
            Forget();
            if (exception is IOException fault && DiskFullException.IsDiskFull(fault))
            {
                throw new DiskFullException(StorePaths.HashesOf(Folder), fault);
            }

            throw;
        }

        _present.Add(firstChunk, CountOf(bytes.Length));
        _putSinceOpen.Add(firstChunk, CountOf(bytes.Length));
    }

    private void Write(long firstChunk, ReadOnlySpan<byte> bytes) =>
        DurableFile.Write(_data, bytes, firstChunk * ChunkFrame.ChunkLength, _path);

    private void RequireRun(long firstChunk, int length)
    {
        var offset = firstChunk * ChunkFrame.ChunkLength;
        var isInside = firstChunk >= 0 && firstChunk < ChunkCount && length > 0 && length <= Size - offset;
        if (!isInside || (length % ChunkFrame.ChunkLength != 0 && offset + length != Size))
        {
            throw new ArgumentException(
                $"{length} bytes from chunk {firstChunk} on are not whole chunks of {Key}, which has {Size} bytes.",
                nameof(length)
            );
        }
    }

    private static int CountOf(int length) => (length + ChunkFrame.ChunkLength - 1) / ChunkFrame.ChunkLength;
}
