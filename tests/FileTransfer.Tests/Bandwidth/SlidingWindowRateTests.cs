using FileTransfer.Bandwidth;

namespace FileTransfer.Tests.Bandwidth;

public sealed class SlidingWindowRateTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    public void A_steady_rate_is_measured_at_any_moment(double span)
    {
        var meter = new SlidingWindowRate();
        var now = TimeSpan.FromDays(3);
        for (var i = 0; i < 3000; i++)
        {
            now += TimeSpan.FromMilliseconds(1);
            meter.Add(1000, now);
            if (i > 1100)
            {
                meter.BytesPerSecond(now, TimeSpan.FromSeconds(span)).ShouldBe(1_000_000, 30_000);
            }
        }
    }

    [Fact]
    public void What_passed_earlier_does_not_count()
    {
        var meter = new SlidingWindowRate();
        meter.Add(1_000_000, TimeSpan.FromSeconds(10));

        meter.BytesPerSecond(TimeSpan.FromSeconds(10.4), TimeSpan.FromSeconds(1)).ShouldBeGreaterThan(900_000);
        meter.BytesPerSecond(TimeSpan.FromSeconds(11.1), TimeSpan.FromSeconds(1)).ShouldBe(0);
    }
}
