using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Identity.Hashing;

public sealed class ChunkHashesTests : IDisposable
{
    private const int Large = 33 * 1024 * 1024;

    private readonly string _folder = Directory.CreateTempSubdirectory("filetransfer-hashes-").FullName;

    private string BackingFile => Path.Combine(_folder, "content.hashes");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 10)]
    [InlineData(23, 32)]
    [InlineData(24, 32)]
    [InlineData(1024, 32)]
    [InlineData(1025, 42)]
    [InlineData(2048, 64)]
    [InlineData(2048 + 23, 64 + 32)]
    [InlineData(1L << 40, 1L << 35)]
    [InlineData(long.MaxValue, ((1L << 53) - 1) * 32 + 32)]
    public void The_encoded_form_has_32_bytes_per_chunk_and_a_short_last_value_itself(long size, long length)
    {
        ChunkHashes.EncodedLengthOf(size).ShouldBe(length);
    }

    [Fact]
    public void A_short_last_value_is_carried_itself_and_a_longer_one_as_its_hash()
    {
        var content = SplitMix64.Bytes(1, 1024 + 24);
        using var carried = ChunkHashes.Create(1024 + 5);
        using var hashed = ChunkHashes.Create(1024 + 24);
        carried.Set(0, content.AsSpan(0, 1024 + 5));
        hashed.Set(0, content);

        var tail = new byte[carried.EncodedLength - 32];
        carried.ReadEncoded(32, tail);
        tail.ShouldBe([1, 0, 0, 0, 0, 0, 0, 0, 5 << 2, .. content[1024..1029]]);

        tail = new byte[hashed.EncodedLength - 32];
        hashed.ReadEncoded(32, tail);
        tail.ShouldBe(Blake2b.Hash256([1, 0, 0, 0, 0, 0, 0, 0, 24 << 2, .. content[1024..]]).ToArray());
    }

    [Fact]
    public void Lengths_of_chunks_are_those_of_the_content()
    {
        using var hashes = ChunkHashes.Create(2500);

        hashes.ChunkCount.ShouldBe(3);
        hashes.LengthOf(0).ShouldBe(1024);
        hashes.LengthOf(2).ShouldBe(452);
        Should.Throw<ArgumentOutOfRangeException>(() => hashes.LengthOf(3));
        Should.Throw<ArgumentOutOfRangeException>(() => hashes.LengthOf(-1));
    }

    [Theory]
    [InlineData(Large)]
    [InlineData(Large + 7)]
    [InlineData(Large + 500)]
    public void Hashes_in_a_file_are_those_in_memory(int size)
    {
        var content = SplitMix64.Bytes(2, size);
        using var file = ChunkHashes.Create(size, BackingFile);
        using var nameless = ChunkHashes.Create(size);
        using var growing = new GrowingChunkHashes();
        SetInRuns(file, content, seed: 3);
        SetInRuns(nameless, content, seed: 4);
        growing.Append(content);
        using var grown = growing.Complete();

        var encoded = Encoded(file);
        Encoded(nameless).AsSpan().SequenceEqual(encoded).ShouldBeTrue();
        Encoded(grown).AsSpan().SequenceEqual(encoded).ShouldBeTrue();
        File.ReadAllBytes(BackingFile).AsSpan().SequenceEqual(encoded).ShouldBeTrue();
        var piece = new byte[ChunkHashes.EncodedLengthOf(1024 * 1024)];
        using (var memory = ChunkHashes.Create(1024 * 1024))
        {
            memory.Set(0, content.AsSpan(0, 1024 * 1024));
            memory.ReadEncoded(0, piece);
        }

        encoded.AsSpan().StartsWith(piece).ShouldBeTrue();
        file.ComputeFingerprint().ShouldBe(nameless.ComputeFingerprint());
        file.ComputeFingerprint().ToArray().ShouldBe(PlainTrie.Root(content));
    }

    [Theory]
    [InlineData(10 * 1024 + 3)]
    [InlineData(Large + 3)]
    public void Flushed_hashes_are_there_when_their_file_is_opened_again(int size)
    {
        var content = SplitMix64.Bytes(5, size);
        Fingerprint fingerprint;
        using (var hashes = ChunkHashes.Create(size, BackingFile))
        {
            hashes.Set(0, content);
            hashes.Flush();
            fingerprint = hashes.ComputeFingerprint();
        }

        using (var again = ChunkHashes.Create(size, BackingFile))
        {
            again.FirstMismatch(0, content).ShouldBe(-1);
            again.ComputeFingerprint().ShouldBe(fingerprint);
        }

        using var complete = ChunkHashes.Open(size, BackingFile);
        complete.ComputeFingerprint().ShouldBe(fingerprint);
        Should.Throw<InvalidOperationException>(() => complete.Set(0, content.AsSpan(0, 1024)));
    }

    [Theory]
    [InlineData(10 * 1024)]
    [InlineData(Large)]
    public void A_file_of_another_length_is_not_taken_for_hashes(int size)
    {
        File.WriteAllBytes(BackingFile, [1, 2, 3]);

        Should.Throw<InvalidDataException>(() => ChunkHashes.Open(size, BackingFile)).Message.ShouldContain(BackingFile);
        using var fresh = ChunkHashes.Create(size, BackingFile);
        Encoded(fresh).ShouldAllBe(octet => octet == 0);
        Should.Throw<InvalidDataException>(() => ChunkHashes.Read(size, new byte[31]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(50 * 1024 + 20)]
    [InlineData(Large + 900)]
    public void The_first_chunk_with_other_bytes_is_found(int size)
    {
        var content = SplitMix64.Bytes(6, size);
        using var hashes = ChunkHashes.Create(size);
        hashes.Set(0, content);
        hashes.FirstMismatch(0, content).ShouldBe(-1);

        var random = new Random(7);
        for (var round = 0; round < 12; round++)
        {
            var (early, late) = (random.Next(size), random.Next(size));
            content[early] ^= 1;
            content[late] ^= 2;
            var from = random.NextInt64((Math.Min(early, late) / 1024) + 1);

            hashes.FirstMismatch(from, content.AsSpan((int)from * 1024)).ShouldBe(Math.Min(early, late) / 1024);
            content[early] ^= 1;
            content[late] ^= 2;
        }

        hashes.FirstMismatch(0, content).ShouldBe(-1);
    }

    [Fact]
    public void A_chunk_in_another_place_is_a_mismatch()
    {
        using var hashes = ChunkHashes.Create(2048);
        hashes.Set(0, new byte[2048]);
        var encoded = Encoded(hashes);

        encoded.AsSpan(0, 32).SequenceEqual(encoded.AsSpan(32)).ShouldBeFalse();
        hashes.WriteEncoded(0, encoded.AsSpan(32));
        hashes.FirstMismatch(0, new byte[2048]).ShouldBe(0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(4096)]
    [InlineData(70 * 1024 + 11)]
    public void Encoded_hashes_travel_in_pieces_of_any_length(int size)
    {
        var content = SplitMix64.Bytes(8, size);
        using var hashes = ChunkHashes.Create(size);
        hashes.Set(0, content);
        var encoded = Encoded(hashes);

        using var received = ChunkHashes.Create(size);
        for (var at = 0; at < encoded.Length; at += 7)
        {
            received.WriteEncoded(at, encoded.AsSpan(at, Math.Min(7, encoded.Length - at)));
        }

        received.ComputeFingerprint().ShouldBe(ContentFingerprint.Of(content));
        using var read = ChunkHashes.Read(size, encoded);
        read.FirstMismatch(0, content).ShouldBe(-1);
    }

    [Fact]
    public void What_is_not_whole_chunks_of_the_content_is_refused()
    {
        using var hashes = ChunkHashes.Create(2500);

        Should.Throw<ArgumentException>(() => hashes.Set(0, new byte[1000]));
        Should.Throw<ArgumentException>(() => hashes.Set(2, new byte[453]));
        Should.Throw<ArgumentException>(() => hashes.Set(2, new byte[1024]));
        Should.Throw<ArgumentException>(() => hashes.Set(4, []));
        Should.Throw<ArgumentException>(() => hashes.FirstMismatch(-1, new byte[1024]));
        Should.Throw<ArgumentException>(() => hashes.ReadEncoded(90, new byte[7]));
        Should.Throw<ArgumentException>(() => hashes.WriteEncoded(-1, new byte[7]));
    }

    [Fact]
    public void Disposed_hashes_refuse_instead_of_touching_freed_memory()
    {
        var small = ChunkHashes.Create(2048);
        var large = ChunkHashes.Create(Large);
        large.ComputeFingerprint();
        small.Dispose();
        large.Dispose();

        Should.Throw<ObjectDisposedException>(() => small.Set(0, new byte[1024]));
        Should.Throw<ObjectDisposedException>(() => small.ComputeFingerprint());
        Should.Throw<ObjectDisposedException>(() => large.Set(0, new byte[1024]));
        Should.Throw<ObjectDisposedException>(() => large.ComputeFingerprint());
    }

    [Fact]
    public void Hashes_in_a_file_take_no_memory_once_they_have_been_walked()
    {
        using var hashes = ChunkHashes.Create(Large, BackingFile);
        hashes.ComputeFingerprint();

        if (OperatingSystem.IsLinux())
        {
            File.ReadAllText("/proc/self/maps").ShouldNotContain(BackingFile);
        }
    }

    private static void SetInRuns(ChunkHashes hashes, byte[] content, int seed)
    {
        var random = new Random(seed);
        var starts = new List<int> { 0 };
        while (starts[^1] < content.Length)
        {
            starts.Add(Math.Min(content.Length, starts[^1] + (random.Next(1, 3000) * 1024)));
        }

        foreach (var (from, to) in starts.Zip(starts.Skip(1)).OrderBy(_ => random.Next()))
        {
            hashes.Set(from / 1024, content.AsSpan(from, to - from));
        }
    }

    private static byte[] Encoded(ChunkHashes hashes)
    {
        var encoded = new byte[hashes.EncodedLength];
        hashes.ReadEncoded(0, encoded);
        return encoded;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(1044)]
    [InlineData((17 * 1024) + 1)]
    [InlineData((600 * 1024) + 1023)]
    public void Chunks_that_lie_apart_are_compared_as_those_that_do_not(int size)
    {
        const int Stride = 1032;
        var content = SplitMix64.Bytes(9, size);
        using var hashes = ChunkHashes.Create(size);
        hashes.Set(0, content);
        var chunks = (int)hashes.ChunkCount;
        var apart = new byte[((chunks - 1) * Stride) + hashes.LengthOf(chunks - 1)];
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            content.AsSpan(chunk * 1024, hashes.LengthOf(chunk)).CopyTo(apart.AsSpan(chunk * Stride));
        }

        hashes.FirstMismatch(0, apart, Stride).ShouldBe(-1);
        foreach (var wrong in new[] { 0, chunks / 2, chunks - 1 })
        {
            apart[wrong * Stride] ^= 1;
            hashes.FirstMismatch(0, apart, Stride).ShouldBe(wrong);
            apart[wrong * Stride] ^= 1;
        }
    }
}
