using System.Diagnostics;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

/// <summary>Proves what is read of one open content, for one reader, by chunk hashes that were checked against its fingerprint.</summary>
/// <remarks>
/// <para>
/// A content that was proven whole within the period of <see cref="ProofLedger"/>, in a file that has not changed since, is not hashed once
/// more for each reader. Of such a content only the last piece of an answer is hashed, and before it is handed over the file is looked at
/// again: where anything about it changed while it was read, all of it is proven first. So no answer that has a wrong byte is completed.
/// </para>
/// <para>Used by one reader at a time. Costs no allocation per chunk or piece.</para>
/// </remarks>
public sealed class ContentProof : IDisposable
{
    private readonly OpenContent _content;
    private readonly ProofLedger _ledger;
    private readonly FileIdentity _identity;
    private readonly bool _ownsHashes;
    private readonly bool _isProvenLately;
    private long _endsAt;
    private long _provenTo;

    internal ContentProof(
        OpenContent content,
        ChunkHashes hashes,
        bool ownsHashes,
        FileIdentity identity,
        bool isProvenLately,
        ProofLedger ledger
    )
    {
        _content = content;
        Hashes = hashes;
        _ownsHashes = ownsHashes;
        _identity = identity;
        _isProvenLately = isProvenLately;
        _ledger = ledger;
    }

    /// <summary>The content's chunk hashes; their root is its fingerprint.</summary>
    public ChunkHashes Hashes { get; }

    /// <summary>Begins an answer that ends at this position. Until then a recent proof is believed; without this call none is.</summary>
    public void Begin(long endsAt) => _endsAt = endsAt;

    public void Dispose()
    {
        if (_ownsHashes)
        {
            Hashes.Dispose();
        }
    }

    /// <summary>Proves bytes of the content, of which <paramref name="offset"/> is the first one's place.</summary>
    [SkipLocalsInit]
    internal void Require(long offset, Span<byte> bytes)
    {
        var end = offset + bytes.Length;
        if (bytes.IsEmpty || IsBelieved(end))
        {
            return;
        }

        var first = Chunk(offset);
        var skipped = (int)(offset - (first * ChunkFrame.ChunkLength));
        if (skipped > 0)
        {
            first++;
            var part = bytes[..Math.Min(bytes.Length, ChunkFrame.ChunkLength - skipped)];
            ReadPart(first - 1, skipped, part);
            bytes = bytes[part.Length..];
        }

        var rest = end == _content.Size ? 0 : bytes.Length % ChunkFrame.ChunkLength;
        RequireRun(Hashes.FirstMismatch(first, bytes[..^rest]));
        if (rest > 0)
        {
            ReadPart(Chunk(end), 0, bytes[^rest..]);
        }

        Count(offset, end);
    }

    /// <summary>Proves a piece of the framed body, of which <paramref name="offset"/> is the first byte's place in that body.</summary>
    internal void RequireFramed(long offset, Span<byte> piece)
    {
        var end = offset + piece.Length;
        if (piece.IsEmpty || IsBelieved(end))
        {
            return;
        }

        var last = Hashes.ChunkCount - 1;
        var first = (offset + ChunkFrame.Length - 1) / ChunkFrame.Length;
        var beyond = end == ChunkFrame.BodyLength(_content.Size) ? last + 1 : end / ChunkFrame.Length;
        if (beyond > first)
        {
            var from = (int)((first * ChunkFrame.Length) + ChunkFrame.IdLength - offset);
            var to = beyond == last + 1 ? piece.Length : (int)((beyond * ChunkFrame.Length) - offset);
            RequireRun(Hashes.FirstMismatch(first, piece[from..to], ChunkFrame.Length));
        }

        // A frame that is cut off at either end is proven as a whole all the same.
        ReadFramePart(offset / ChunkFrame.Length, first, beyond, offset, piece);
        if (end / ChunkFrame.Length != offset / ChunkFrame.Length)
        {
            ReadFramePart(end / ChunkFrame.Length, first, beyond, offset, piece);
        }

        Count(
            Math.Min(first * ChunkFrame.ChunkLength, _content.Size),
            Math.Min(Math.Max(first, beyond) * ChunkFrame.ChunkLength, _content.Size)
        );
    }

    private void ReadFramePart(long frame, long first, long beyond, long offset, Span<byte> piece)
    {
        if ((frame >= first && frame < beyond) || frame >= Hashes.ChunkCount)
        {
            return;
        }

        var starts = (frame * ChunkFrame.Length) + ChunkFrame.IdLength;
        var from = Math.Max(starts, offset);
        var to = Math.Min(starts + Hashes.LengthOf(frame), offset + piece.Length);
        if (to > from)
        {
            ReadPart(frame, (int)(from - starts), piece[(int)(from - offset)..(int)(to - offset)]);
        }
    }

    /// <summary>Whether bytes up to here need no hashing. At the end of the answer the file is looked at again.</summary>
    private bool IsBelieved(long end)
    {
        if (!_isProvenLately || _endsAt == 0)
        {
            return false;
        }

        if (end < _endsAt)
        {
            return true;
        }

        if (_content.Identity() != _identity)
        {
            RequireWhole();
        }

        return false;
    }

    /// <summary>Something happened to the file while it was read: it may have been deleted, which hurts nobody, or written to.</summary>
    private void RequireWhole() => _content.ReadThrough((first, bytes) => RequireRun(Hashes.FirstMismatch(first, bytes)));

    /// <summary>Reads a chunk once more, whole, proves it, and gives the reader his part of these very bytes.</summary>
    [SkipLocalsInit]
    private void ReadPart(long chunk, int from, Span<byte> part)
    {
        Span<byte> whole = stackalloc byte[ChunkFrame.ChunkLength];
        whole = whole[..Hashes.LengthOf(chunk)];
        _content.ReadExactly(chunk * ChunkFrame.ChunkLength, whole);
        RequireRun(Hashes.FirstMismatch(chunk, whole));
        whole.Slice(from, part.Length).CopyTo(part);
    }

    private void RequireRun(long mismatch)
    {
        if (mismatch >= 0)
        {
            throw new ContentDamagedException(_content.Fingerprint, $"chunk {mismatch} has other bytes than its hash says");
        }
    }

    /// <summary>A reader who has had all of it in order has proven all of it.</summary>
    private void Count(long from, long end)
    {
        if (from <= _provenTo && end > _provenTo)
        {
            _provenTo = end;
            if (end == _content.Size && _content.Identity() == _identity)
            {
                _ledger.Proven(_content.Fingerprint, _identity);
            }
        }
    }

    private static long Chunk(long offset)
    {
        Debug.Assert(offset >= 0);
        return offset / ChunkFrame.ChunkLength;
    }
}
