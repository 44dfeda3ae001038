using FileTransfer.Identity;

namespace FileTransfer.Tests.Identity;

public sealed class IdentityTextTests
{
    private const string Digits = "00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0";

    [Theory]
    [InlineData(Digits)]
    [InlineData("0x" + Digits)]
    [InlineData("0X" + Digits)]
    [InlineData("0x00112233445566778899AABBCCDDEEFF0f1e2d3c4b5a69788796A5B4C3D2E1F0")]
    public void A_file_key_is_read_with_and_without_prefix_and_in_any_case_and_written_in_one_form(string text)
    {
        FileKey.TryParse(text, out var key).ShouldBeTrue();

        key.ToString().ShouldBe("0x" + Digits);
        key.ToHex().ShouldBe(Digits);
        key.ToArray().ShouldBe(Convert.FromHexString(Digits));
        new FileKey(key.ToArray()).ShouldBe(key);
        Fingerprint.TryParse(text, out var fingerprint).ShouldBeTrue();
        fingerprint.Value.ShouldBe(key.Value);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0x")]
    [InlineData("0x0x" + Digits)]
    [InlineData(Digits + "0")]
    [InlineData(Digits + "00")]
    [InlineData(" " + Digits)]
    [InlineData("0x" + Digits + "\n")]
    [InlineData("g0112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    [InlineData("０0112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    public void What_is_not_64_hex_digits_is_no_file_key(string? text)
    {
        FileKey.TryParse(text, out var key).ShouldBeFalse();

        key.ShouldBe(default);
        Fingerprint.TryParse(text, out _).ShouldBeFalse();
    }

    [Fact]
    public void A_hash_of_any_length_but_32_is_refused()
    {
        Should.Throw<ArgumentException>(() => new Hash256(new byte[31]));
        Should.Throw<ArgumentException>(() => new Hash256(new byte[33]));
    }

    [Fact]
    public void Hashes_are_ordered_and_equal_as_their_bytes()
    {
        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            var (left, right) = (new byte[32], new byte[32]);
            random.NextBytes(left);
            left.CopyTo(right, 0);
            right[random.Next(32)] ^= (byte)random.Next(2);
            var (a, b) = (new Hash256(left), new Hash256(right));

            Math.Sign(a.CompareTo(b)).ShouldBe(Math.Sign(left.AsSpan().SequenceCompareTo(right)));
            (a == b).ShouldBe(left.AsSpan().SequenceEqual(right));
            (a != b).ShouldBe(!(a == b));
            a.FirstNibble.ShouldBe(left[0] >> 4);
            new FileKey(a).Bin.ShouldBe(left[0] >> 4);
        }
    }

    [Theory]
    [InlineData("0x", 0)]
    [InlineData("", 0)]
    [InlineData("0xAb", 1)]
    [InlineData("ab01", 2)]
    public void Octets_are_read_with_and_without_prefix(string text, int length)
    {
        ByteString.TryParseHex(text, out var octets).ShouldBeTrue();

        octets.Length.ShouldBe(length);
        octets.IsEmpty.ShouldBe(length == 0);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("0xa")]
    [InlineData("abc")]
    [InlineData("0xzz")]
    [InlineData("ab cd")]
    public void What_is_not_pairs_of_hex_digits_is_no_octets(string? text)
    {
        ByteString.TryParseHex(text, out _).ShouldBeFalse();
    }

    [Fact]
    public void Octets_are_equal_by_their_bytes_and_text_only_where_they_are_UTF_8()
    {
        ByteString.FromUtf8("données").AsUtf8().ShouldBe("données");
        new ByteString([0xff, 0xfe]).AsUtf8().ShouldBeNull();
        new ByteString([1, 2]).ShouldBe(new ByteString([1, 2]));
        new ByteString([1, 2]).GetHashCode().ShouldBe(new ByteString([1, 2]).GetHashCode());
        (new ByteString([1, 2]) != new ByteString([1, 3])).ShouldBeTrue();
        (default(ByteString) == new ByteString([])).ShouldBeTrue();
        new ByteString([0xab, 1]).ToString().ShouldBe("0xab01");
    }

    [Theory]
    [InlineData(0ul, "00")]
    [InlineData(1ul, "04")]
    [InlineData(63ul, "fc")]
    [InlineData(64ul, "0101")]
    [InlineData(1024ul, "0110")]
    [InlineData(16_383ul, "fdff")]
    [InlineData(16_384ul, "02000100")]
    [InlineData((1ul << 30) - 1, "feffffff")]
    [InlineData(1ul << 30, "0300000040")]
    [InlineData((1ul << 32) - 1, "03ffffffff")]
    [InlineData(1ul << 32, "070000000001")]
    [InlineData((1ul << 56) - 1, "0fffffffffffffff")]
    [InlineData(1ul << 56, "130000000000000001")]
    [InlineData(ulong.MaxValue, "13ffffffffffffffff")]
    public void A_compact_number_has_the_shortest_of_its_four_forms(ulong value, string hex)
    {
        var bytes = new byte[ScaleCompact.MaxLength];

        Convert.ToHexStringLower(bytes.AsSpan(0, ScaleCompact.Write(bytes, value))).ShouldBe(hex);
    }

    [Fact]
    public void Metadata_that_names_no_file_says_why()
    {
        var good = new FileMetadata(
            new ByteString(new byte[32]),
            new ByteString(new byte[20]),
            ByteString.FromUtf8("a/b"),
            1,
            default
        );

        good.Fault().ShouldBeNull();
        (good with { Size = FileMetadata.MaxSize }).Fault().ShouldBeNull();
        (good with { Location = new ByteString(new byte[FileMetadata.MaxLocationLength]) }).Fault().ShouldBeNull();
        (good with { Owner = default }).Fault().ShouldBe("The owner is empty.");
        (good with { Bucket = default }).Fault().ShouldBe("The bucket is empty.");
        (good with { Location = default }).Fault().ShouldBe("The location is empty.");
        (good with { Size = 0 }).Fault()!.ShouldContain("size is 0");
        (good with { Size = FileMetadata.MaxSize + 1 }).Fault()!.ShouldContain("9223372036854775808");
        (good with { Owner = new ByteString(new byte[FileMetadata.MaxIdLength + 1]) }).Fault()!.ShouldContain("1025");
        (good with { Bucket = new ByteString(new byte[FileMetadata.MaxIdLength + 1]) }).Fault()!.ShouldContain("1025");
        (good with { Location = new ByteString(new byte[1024 * 1024]) }).Fault()!.ShouldContain("1048576");
    }
}
