using System.Buffers.Binary;
using System.IO.Pipelines;

namespace FileTransfer.Chunks;

/// <summary>Writes a stored content as frames, in the coordinates of the framed body: frame i starts at <c>i × 1032</c>.</summary>
/// <remarks>
/// The chunks are read straight to their places between the ids, into the output's own memory: one system call for a piece of 127
/// frames, the most that fit 128 KiB, and no copy.
/// </remarks>
public static class FramedContent
{
    /// <summary>Bytes written at a time, when that many are asked for.</summary>
    public const int PieceLength = PieceFrames * ChunkFrame.Length;

    private const int PieceFrames = 127;

    [ThreadStatic]
    private static List<Memory<byte>>? _chunks;

    /// <summary>Writes the bytes <c>[offset, offset + count)</c> of the framed body; it may start and end inside a frame.</summary>
    /// <exception cref="ContentTruncatedException">The content became shorter; the answer must be aborted.</exception>
    /// <exception cref="OperationCanceledException">The reader went away.</exception>
    public static async ValueTask WriteAsync(
        StoredContent content,
        PipeWriter output,
        long offset,
        long count,
        CancellationToken cancellationToken
    )
    {
        PipeReach.RequireInside(offset, count, ChunkFrame.BodyLength(content.Size));
        var end = offset + count;
        while (offset < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var pieceEnd = Math.Min(end, ((offset / ChunkFrame.Length) + PieceFrames) * ChunkFrame.Length);
            var length = (int)(pieceEnd - offset);
            Fill(content, output.GetMemory(length)[..length], offset);
            output.Advance(length);
            offset = pieceEnd;
            await output.FlushOrThrowAsync(cancellationToken);
        }
    }

    /// <summary>Writes the ids of one piece and reads its chunks between them. The parts of neighbouring chunks are neighbours in the file.</summary>
    private static void Fill(StoredContent content, Memory<byte> piece, long offset)
    {
        var chunks = _chunks ??= new List<Memory<byte>>(PieceFrames);
        chunks.Clear();
        Span<byte> id = stackalloc byte[ChunkFrame.IdLength];
        var fileOffset = -1L;
        var total = 0L;
        while (piece.Length > 0)
        {
            var (frame, within) = Math.DivRem(offset, ChunkFrame.Length);
            if (within < ChunkFrame.IdLength)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(id, (ulong)frame);
                var part = id[(int)within..];
                part = part[..Math.Min(part.Length, piece.Length)];
                part.CopyTo(piece.Span);
                offset += part.Length;
                piece = piece[part.Length..];
                continue;
            }

            var length = (int)Math.Min(piece.Length, ChunkFrame.Length - within);
            fileOffset = fileOffset < 0 ? (frame * ChunkFrame.ChunkLength) + within - ChunkFrame.IdLength : fileOffset;
            chunks.Add(piece[..length]);
            total += length;
            offset += length;
            piece = piece[length..];
        }

        if (total > 0)
        {
            var read = RandomAccess.Read(content.Handle, chunks, fileOffset);
            if (read < total)
            {
                ReadRest(content, chunks, fileOffset, read);
            }
        }

        chunks.Clear();
    }

    /// <summary>A scatter read may stop early for other reasons than the end of the file; a plain one tells.</summary>
    private static void ReadRest(StoredContent content, List<Memory<byte>> chunks, long fileOffset, long read)
    {
        foreach (var chunk in chunks)
        {
            var done = (int)Math.Min(chunk.Length, read);
            content.ReadExactly(fileOffset + done, chunk.Span[done..]);
            fileOffset += chunk.Length;
            read -= done;
        }
    }
}
