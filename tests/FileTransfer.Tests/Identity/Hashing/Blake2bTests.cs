using System.Buffers.Binary;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Identity.Hashing;

public sealed class Blake2bTests
{
    private static readonly int[] _lanes = [1, 2, 4, 16];

    // Printed by `b2sum -l 256` for the bytes 0, 1, 2 … 250, 0, 1 … of these lengths, on both sides of the 128-byte blocks' ends.
    [Theory]
    [InlineData(0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8")]
    [InlineData(1, "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314")]
    [InlineData(3, "3d8c3d594928271f44aad7a04b177154806867bcf918e1549c0bc16f9da2b09b")]
    [InlineData(31, "9adf65b53153b1caec84cd717e00e01c2000d0569704ce38d065180adee5d964")]
    [InlineData(32, "cb2f5160fc1f7e05a55ef49d340b48da2e5a78099d53393351cd579dd42503d6")]
    [InlineData(63, "29e41a64fbdd2fd27612228623c0702222bf367451e7324287f181cb3dcf7237")]
    [InlineData(64, "10d8e6d534b00939843fe9dcc4dae48cdf008f6b8b2b82b156f5404d874887f5")]
    [InlineData(65, "84c04ab082c8ae24206561f77397704b627892089a05887a2a1996472bcfe15d")]
    [InlineData(127, "f2fe67ff342e21b8f45e8f2e0bcd1d9243245d50ee6c78042e9c491388791c72")]
    [InlineData(128, "c3582f71ebb2be66fa5dd750f80baae97554f3b015663c8be377cfcb2488c1d1")]
    [InlineData(129, "f7f3c46ba2564ff4c4c162da1f5b605f9f1c4aa6a20652a9f9a337c1a2f5b9c9")]
    [InlineData(255, "d9ef0fc521b4266d16df662bec231bc2ec3989e7adeaf63169c295dc239dbbea")]
    [InlineData(256, "582f782226018ec33076bd8d1c42413530ac7e1126260ffc0f306ba3befc3f24")]
    [InlineData(257, "227e15ed64ee8e93eb7bc53828f76eed974f2c4ab1408c3d08f212b7f8d69904")]
    [InlineData(383, "119a194f3db968529d4827df7a2aef575c85eb9a81147fda0d14f91f3fc6b28b")]
    [InlineData(384, "84207d1b15b6e7de429800169ff777c1ea01207c3669918f69668a55104c883c")]
    [InlineData(385, "8083b52fabe1946f13fe3c5d5540c746fe6bb78aa675dbcaf6557dff00eadf79")]
    [InlineData(1023, "90f21eb06ea3f72b69fafeb081d985dd05b8ec6217a92798050b704f0ad8842e")]
    [InlineData(1024, "d75edc54bb5acee4cc8610568e82872ce79758afd38c51dfe6ccfab01c2d191f")]
    [InlineData(1033, "c595b3de256fbdfe115701785a8ca04f919b1a7e355f0cdaa98767ffadf9e8dc")]
    [InlineData(1034, "0d81d406e2b0bf3f626f290c31e46b448edeeb044c992bb894d3ecd2a2140203")]
    [InlineData(1152, "49afe90cfa01e349ea262cc666262e4d70e28fa367c36afe79479d3fe59b7cc4")]
    [InlineData(1153, "a463b776f03a6e5b1de5614b0ba203dcf10356c69bae132ee1f1ffaaae2290e0")]
    [InlineData(4096, "11c294a11dc67e3ddb25f8c06cca2721e58d2a044243abea6c7063fd17d589e5")]
    public void A_message_has_the_hash_that_b2sum_prints(int length, string hash)
    {
        Blake2b.Hash256(Counting(length)).ToHex().ShouldBe(hash);
    }

    [Fact]
    public void Abc_has_its_known_answer()
    {
        Blake2b.Hash256("abc"u8).ToHex().ShouldBe("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    }

    [Fact]
    public void Every_length_up_to_nine_blocks_hashes_as_the_RFC_text_read_plainly_does()
    {
        var bytes = SplitMix64.Bytes(7, 9 * Blake2b.BlockLength);
        for (var length = 0; length <= bytes.Length; length++)
        {
            var message = bytes.AsSpan(0, length);

            Blake2b.Hash256(message).ToArray().ShouldBe(PlainBlake2b.Hash256(message), $"{length} bytes");
        }
    }

    [Fact]
    public void Chunks_have_the_same_hashes_in_lanes_of_every_width_as_alone()
    {
        const int Most = 35;
        var bytes = SplitMix64.Bytes(8, Most * ChunkHashes.ChunkSize);
        foreach (var firstChunk in (long[])[0, 63, 16_383, (1L << 30) - 3, (1L << 53) - 64])
        {
            var alone = new byte[Most * Hash256.Length];
            for (var i = 0; i < Most; i++)
            {
                var value = new byte[10 + ChunkHashes.ChunkSize];
                BinaryPrimitives.WriteInt64LittleEndian(value, firstChunk + i);
                (value[8], value[9]) = (0x01, 0x10);
                bytes.AsSpan(i * ChunkHashes.ChunkSize, ChunkHashes.ChunkSize).CopyTo(value.AsSpan(10));
                Blake2b.Hash256(value, alone.AsSpan(i * Hash256.Length));
            }

            foreach (var lanes in _lanes)
            {
                for (var count = 0; count <= Most; count++)
                {
                    var hashes = new byte[count * Hash256.Length];
                    Blake2bLanes.HashChunks(lanes, firstChunk, bytes.AsSpan(0, count * ChunkHashes.ChunkSize), hashes);

                    hashes
                        .AsSpan()
                        .SequenceEqual(alone.AsSpan(0, hashes.Length))
                        .ShouldBeTrue($"{count} chunks in {lanes} lanes");
                }
            }
        }
    }

    [Fact]
    public void Messages_of_one_length_have_the_same_hashes_in_lanes_of_every_width_as_alone_and_only_the_wanted_are_written()
    {
        const int Stride = 5 * Blake2b.BlockLength;
        var random = new Random(9);
        foreach (var lanes in _lanes)
        {
            for (var length = 1; length <= Stride; length += length < 140 ? 1 : 37)
            {
                var messages = SplitMix64.Bytes((ulong)length, lanes * Stride);
                for (var lane = 0; lane < lanes; lane++)
                {
                    messages.AsSpan(lane * Stride, Stride)[length..].Clear();
                }

                var wanted = (uint)random.Next(1, 1 << lanes);
                var hashes = new byte[lanes * Hash256.Length];
                Blake2bLanes.HashPadded(lanes, messages, Stride, length, wanted, hashes);

                for (var lane = 0; lane < lanes; lane++)
                {
                    var expected =
                        (wanted >> lane & 1) == 0
                            ? new byte[Hash256.Length]
                            : Blake2b.Hash256(messages.AsSpan(lane * Stride, length)).ToArray();
                    hashes
                        .AsSpan(lane * Hash256.Length, Hash256.Length)
                        .ToArray()
                        .ShouldBe(expected, $"{length} bytes, lane {lane} of {lanes}");
                }
            }
        }
    }

    [Fact]
    public void Too_little_room_is_refused_before_anything_is_written()
    {
        Should.Throw<ArgumentException>(() => Blake2bLanes.HashChunks(0, new byte[2048], new byte[63]));
        Should.Throw<ArgumentException>(() => Blake2bLanes.HashPadded(4, new byte[639], 128, 200, 15, new byte[128]));
    }

    private static byte[] Counting(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i % 251))];
}
