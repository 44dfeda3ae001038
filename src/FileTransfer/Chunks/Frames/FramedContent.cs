namespace FileTransfer.Chunks.Frames;

/// <summary>Writes a stored content as frames, in the coordinates of the framed body: frame i starts at <c>i × 1032</c>.</summary>
/// <remarks>
/// The chunks are read straight to their places between the ids, into the output's own memory: one system call for a piece of 508
/// frames, the most that fit 512 KiB, and no copy. Handing a piece over costs the server some small objects, whatever its length; at
/// 512 KiB they no longer show, and the piece still fits the core's own cache.
/// </remarks>
public static class FramedContent
{
    /// <summary>Bytes written at a time, when that many are asked for.</summary>
    public const int PieceLength = PieceFrames * ChunkFrame.Length;

    private const int PieceFrames = 508;

    /// <summary>Writes the bytes <c>[offset, offset + count)</c> of the framed body; it may start and end inside a frame.</summary>
    /// <exception cref="ContentDamagedException">The content is not right; the answer must be aborted.</exception>
    /// <exception cref="OperationCanceledException">The reader went away.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public static async ValueTask WriteAsync(
        OpenContent content,
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
            var piece = output.GetSpan(length)[..length];
            Fill(content, piece, offset);
            content.Proof?.RequireFramed(offset, piece);
            output.Advance(length);
            offset = pieceEnd;
            (await output.FlushAsync(cancellationToken)).ThrowIfGone(cancellationToken);
        }
    }

    /// <summary>Writes the ids of one piece and reads its chunks between them. The parts of neighbouring chunks are neighbours in the file.</summary>
    [SkipLocalsInit]
    private static unsafe void Fill(OpenContent content, Span<byte> piece, long offset)
    {
        Span<byte> id = stackalloc byte[ChunkFrame.IdLength];
        Span<ScatterRead.Part> parts = stackalloc ScatterRead.Part[PieceFrames];
        var count = 0;
        var fileOffset = 0L;
        var total = 0L;
        fixed (byte* start = piece)
        {
            for (var at = 0; at < piece.Length; )
            {
                var (frame, within) = Math.DivRem(offset + at, ChunkFrame.Length);
                if (within < ChunkFrame.IdLength)
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(id, (ulong)frame);
                    var part = id[(int)within..];
                    part = part[..Math.Min(part.Length, piece.Length - at)];
                    part.CopyTo(piece[at..]);
                    at += part.Length;
                    continue;
                }

                if (count == 0)
                {
                    fileOffset = (frame * ChunkFrame.ChunkLength) + within - ChunkFrame.IdLength;
                }

                var length = (int)Math.Min(piece.Length - at, ChunkFrame.Length - within);
                parts[count++] = new ScatterRead.Part(start + at, length);
                total += length;
                at += length;
            }

            if (total > 0)
            {
                var read = Read(content, parts[..count], fileOffset);
                if (read < total)
                {
                    ReadRest(content, parts[..count], fileOffset, read);
                }
            }
        }
    }

    private static long Read(OpenContent content, ReadOnlySpan<ScatterRead.Part> parts, long fileOffset)
    {
        if (content.File is not { } file)
        {
            return 0;
        }

        try
        {
            return ScatterRead.Read(file, parts, fileOffset);
        }
        catch (IOException fault) when (ContentDamagedException.IsDamage(fault))
        {
            throw ContentDamagedException.Unreadable(content.Fingerprint, fault);
        }
    }

    /// <summary>A scatter read may stop early for other reasons than the end of the file; a plain one tells. Of what is in memory it reads nothing.</summary>
    private static void ReadRest(OpenContent content, ReadOnlySpan<ScatterRead.Part> parts, long fileOffset, long read)
    {
        foreach (var part in parts)
        {
            var done = (int)Math.Min(part.Length, read);
            content.ReadExactly(fileOffset + done, part.Bytes[done..]);
            fileOffset += part.Length;
            read -= done;
        }
    }
}
