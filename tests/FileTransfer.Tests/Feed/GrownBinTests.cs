using FileTransfer.Feed;

namespace FileTransfer.Tests.Feed;

public sealed class GrownBinTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    public void What_is_written_is_read_again(int bin) =>
        FeedAppender.Grown.Read(FeedAppender.Grown.Write(new GrownBin(bin))).ShouldBe(new GrownBin(bin));

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("0x3")]
    [InlineData(" 3")]
    [InlineData("99999999999")]
    public void A_text_that_this_program_does_not_write_is_nothing(string text) => FeedAppender.Grown.Read(text).ShouldBeNull();
}
