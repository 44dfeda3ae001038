using System.Buffers.Binary;
using FileTransfer.Chunks.Frames;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Chunks;

/// <summary>A content made up from a seed, with its identity, its hashes and its frames.</summary>
internal sealed class SampleContent
{
    public SampleContent(int size, int seed = 1)
        : this(Bytes(size, seed)) { }

    public SampleContent(byte[] bytes)
    {
        Data = bytes;
        using var hashes = ChunkHashes.Create(bytes.Length);
        hashes.Set(0, bytes);
        Fingerprint = hashes.ComputeFingerprint();
        Encoded = new byte[hashes.EncodedLength];
        hashes.ReadEncoded(0, Encoded);
        Key = new FileKey(Blake2b.Hash256(Fingerprint.ToArray()));
    }

    public byte[] Data { get; }

    public byte[] Encoded { get; }

    public Fingerprint Fingerprint { get; }

    public FileKey Key { get; }

    public int ChunkCount => (int)ChunkFrame.ChunkCount(Data.Length);

    public ReadOnlySpan<byte> Chunk(int id) => Data.AsSpan(id * 1024, ChunkFrame.ChunkLengthOf(id, Data.Length));

    public byte[] Frame(int id) => Frame((ulong)id, Chunk(id));

    public byte[] Frames() => Frames(Enumerable.Range(0, ChunkCount));

    public byte[] Frames(IEnumerable<int> ids) => [.. ids.SelectMany(Frame)];

    public static byte[] Frame(ulong id, ReadOnlySpan<byte> chunk)
    {
        var frame = new byte[8 + chunk.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(frame, id);
        chunk.CopyTo(frame.AsSpan(8));
        return frame;
    }

    private static byte[] Bytes(int size, int seed)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
