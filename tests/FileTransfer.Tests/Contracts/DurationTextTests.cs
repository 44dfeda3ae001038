using FileTransfer.Contracts;

namespace FileTransfer.Tests.Contracts;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("30", 30)]
    [InlineData("30s", 30)]
    [InlineData("1.5m", 90)]
    [InlineData("1h30m", 5400)]
    [InlineData("0", 0)]
    [InlineData("30d", 30 * 86400)]
    public void A_duration_is_read_as_people_write_it(string text, double seconds)
    {
        DurationText.TryParse(text, out var duration).ShouldBeTrue();
        duration.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("5x")]
    [InlineData("-5s")]
    [InlineData("31d")]
    [InlineData("99999999999999999999h")]
    [InlineData("30d30d")]
    public void Anything_else_is_refused(string text) => DurationText.TryParse(text, out _).ShouldBeFalse();
}
