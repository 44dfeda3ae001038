using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

public sealed partial class PartialFile
{
    /// <summary>
    /// Finds out what is here by hashing what is on disk: hashes left by an earlier run are trusted if their root is the fingerprint,
    /// and a chunk counts if it has its hash. Not while anything is put. One that the disk does not give back is not kept.
    /// </summary>
    public async Task RevalidateFromDiskAsync(CancellationToken cancellationToken)
    {
        if (!HashesProven)
        {
            if (!_hashesFound || _putSinceOpen.Count > 0)
            {
                return;
            }

            HashesProven = await Task.Run(() => Hashes.ComputeFingerprint(), cancellationToken) == Fingerprint;
        }

        Forget();
        if (NextDataChunk(0) == Size)
        {
            return;
        }

        var buffer = PieceBufferPool.Rent(PieceBufferPool.PieceLength);
        try
        {
            // What was never written is a hole; nobody has to hash it to know that it is missing.
            for (var offset = 0L; (offset = NextDataChunk(offset)) < Size; )
            {
                var length = (int)Math.Min(PieceBufferPool.PieceLength, Size - offset);
                var piece = buffer.AsMemory(0, length);
                for (var filled = 0; filled < length; )
                {
                    var read = await RandomAccess.ReadAsync(_data, piece[filled..], offset + filled, cancellationToken);
                    filled += read > 0 ? read : throw new EndOfStreamException($"{Folder} became shorter while it was read.");
                }

                Count(offset / ChunkFrame.ChunkLength, piece.Span);
                offset += length;
            }
        }
        catch (IOException fault) when (ContentDamagedException.IsDamage(fault))
        {
            _isUnreadable = true;
            throw;
        }
        finally
        {
            PieceBufferPool.Return(buffer);
        }

        Runs().ForEach(run => Arriving?.Arrived(run.First, run.End));
    }

    private long NextDataChunk(long offset)
    {
        var next = offset < Size ? DurableFile.NextData(_data, offset, Size) : Size;
        return next < Size ? next / ChunkFrame.ChunkLength * ChunkFrame.ChunkLength : Size;
    }

    private void Count(long firstChunk, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (Hashes.FirstMismatch(firstChunk, bytes) < 0)
            {
                _present.Add(firstChunk, CountOf(bytes.Length));
                return;
            }

            for (var chunk = firstChunk; bytes.Length > 0; chunk++)
            {
                var one = bytes[..Math.Min(bytes.Length, ChunkFrame.ChunkLength)];
                bytes = bytes[one.Length..];
                if (Hashes.FirstMismatch(chunk, one) < 0)
                {
                    _present.Add(chunk, 1);
                }
            }
        }
    }
}
