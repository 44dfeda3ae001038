using FileTransfer.Http;

namespace FileTransfer.Tests.Http;

public sealed class ByteRangeTests
{
    [Theory]
    [InlineData("bytes=0-0", 0, 1)]
    [InlineData("bytes=0-499", 0, 500)]
    [InlineData("bytes=500-999", 500, 500)]
    [InlineData("bytes=999-", 999, 1)]
    [InlineData("bytes=0-", 0, 1000)]
    [InlineData("bytes=-1", 999, 1)]
    [InlineData("bytes=-1000", 0, 1000)]
    [InlineData("bytes=-1001", 0, 1000)]
    [InlineData("bytes=-99999999999999999999999", 0, 1000)]
    [InlineData("bytes=990-5000", 990, 10)]
    [InlineData("bytes=1-99999999999999999999999", 1, 999)]
    [InlineData("BYTES=1-2", 1, 2)]
    [InlineData("bytes=007-0008", 7, 2)]
    [InlineData(" bytes=1-2 ", 1, 2)]
    [InlineData("bytes=,1-2,", 1, 2)]
    public void A_range_is_cut_to_what_exists(string header, long offset, long count)
    {
        ByteRange.Read(header, 1000, out var range).ShouldBe(RangeVerdict.Satisfiable);
        range.ShouldBe(new ByteRange(offset, count));
    }

    [Theory]
    [InlineData("bytes=1000-")]
    [InlineData("bytes=1000-1000")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=-000")]
    [InlineData("bytes=9223372036854775807-")]
    [InlineData("bytes=9223372036854775808-")]
    [InlineData("bytes=99999999999999999999999-99999999999999999999999")]
    public void A_well_formed_range_of_nothing_is_not_satisfiable(string header) =>
        ByteRange.Read(header, 1000, out _).ShouldBe(RangeVerdict.NotSatisfiable);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("bytes")]
    [InlineData("bytes=")]
    [InlineData("bytes=-")]
    [InlineData("bytes=5-2")]
    [InlineData("bytes=99999999999999999999999-2")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=1-b")]
    [InlineData("bytes=+1-2")]
    [InlineData("bytes=1 - 2")]
    [InlineData("bytes=1--2")]
    [InlineData("bytes=1-2-3")]
    [InlineData("bytes= =1-2")]
    [InlineData("bytes =1-2")]
    [InlineData("bytes=0x1-2")]
    [InlineData("bytes=١-٢")]
    [InlineData("chunks=0-1")]
    [InlineData("bytes=0-1,5-6")]
    [InlineData("bytes=0-1, -1")]
    public void Anything_else_means_the_whole(string? header) =>
        ByteRange.Read(header, 1000, out _).ShouldBe(RangeVerdict.Ignored);

    [Theory]
    [InlineData("bytes=0-")]
    [InlineData("bytes=-5")]
    public void Nothing_has_no_ranges(string header) => ByteRange.Read(header, 0, out _).ShouldBe(RangeVerdict.Ignored);

    [Fact]
    public void Content_Range_has_the_form_of_the_rfc()
    {
        new ByteRange(42, 1192).ContentRangeOf(1234).ShouldBe("bytes 42-1233/1234");
        ByteRange.UnsatisfiedOf(47022).ShouldBe("bytes */47022");
    }
}
