using FileTransfer.Chunks;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>One of the contents of a script, the same in the process that stores it and in the one that judges.</summary>
internal sealed class ScriptContent
{
    public ScriptContent(int seed, int index)
    {
        var random = new Random((seed * 1000) + index);
        Index = index;
        Bytes = new byte[SizeOf(index, random)];
        random.NextBytes(Bytes);
        using var hashes = ChunkHashes.Create(Bytes.Length);
        hashes.Set(0, Bytes);
        Fingerprint = hashes.ComputeFingerprint();
        Hashes = new byte[hashes.EncodedLength];
        hashes.ReadEncoded(0, Hashes);
        Metadata = new FileMetadata(
            ByteString.FromUtf8("owner"),
            ByteString.FromUtf8("bucket"),
            ByteString.FromUtf8($"content {index}"),
            (ulong)Bytes.Length,
            Fingerprint
        );
        Key = Metadata.ComputeKey();
    }

    public static IReadOnlyList<ScriptContent> Of(int seed, bool withLarge) =>
        [.. Enumerable.Range(withLarge ? 0 : 1, withLarge ? 8 : 20).Select(index => new ScriptContent(seed, index))];

    public int Index { get; }

    public byte[] Bytes { get; }

    public byte[] Hashes { get; }

    public Fingerprint Fingerprint { get; }

    public FileMetadata Metadata { get; }

    public FileKey Key { get; }

    /// <summary>Published together with others: rows of the database, and one that is a file.</summary>
    public bool IsInGroups => Index > 1;

    public override string ToString() => $"content {Index} of {Bytes.Length} bytes, {Fingerprint}";

    private static int SizeOf(int index, Random random) =>
        index switch
        {
            0 => (int)ChunkStore.HashesKeptAbove + random.Next(1, 100_000),
            1 or 2 => random.Next(20_000, 150_000),
            _ => random.Next(1, 7000),
        };
}
