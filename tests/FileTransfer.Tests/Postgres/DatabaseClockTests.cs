using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Postgres;

public sealed class DatabaseClockTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly DatabaseClock _clock;
    private DateTime _there = new(2026, 5, 6, 7, 8, 9, DateTimeKind.Utc);
    private int _jumps;

    public DatabaseClockTests()
    {
        _clock = new DatabaseClock(_time, NullLogger.Instance);
        _clock.Jumped += () => _jumps++;
    }

    [Fact]
    public void A_clock_that_goes_as_time_does_has_not_jumped()
    {
        for (var i = 0; i < 1000; i++)
        {
            // NTP slows or hastens a clock by at most a two-thousandth.
            Pass(TimeSpan.FromSeconds(2), there: TimeSpan.FromSeconds(2.001));
        }

        _jumps.ShouldBe(0);
        _clock.RecentJump.ShouldBeNull();
    }

    [Theory]
    [InlineData(365 * 86400)]
    [InlineData(-365 * 86400)]
    [InlineData(10)]
    [InlineData(-10)]
    public void A_jump_either_way_is_noticed_and_told_of_for_some_minutes(int seconds)
    {
        var by = TimeSpan.FromSeconds(seconds);
        Pass(TimeSpan.FromSeconds(2));
        Pass(TimeSpan.FromSeconds(2), there: by + TimeSpan.FromSeconds(2));

        _jumps.ShouldBe(1);
        _clock.RecentJump!.By.ShouldBe(by, TimeSpan.FromMilliseconds(1));

        Pass(TimeSpan.FromSeconds(2));
        _jumps.ShouldBe(1, "it goes on from there");
        _time.Advance(TimeSpan.FromMinutes(11));
        _clock.RecentJump.ShouldBeNull();
    }

    [Fact]
    public void An_answer_that_took_long_is_no_jump()
    {
        Pass(TimeSpan.FromSeconds(2));
        Pass(TimeSpan.FromSeconds(2), took: TimeSpan.FromSeconds(30));
        Pass(TimeSpan.FromSeconds(2));
        Pass(TimeSpan.FromMinutes(20));

        _jumps.ShouldBe(0);
    }

    /// <summary>Some time passes, there as long as said, and then it is asked; the answer is of the end of the time it takes.</summary>
    private void Pass(TimeSpan here, TimeSpan? there = null, TimeSpan took = default)
    {
        _time.Advance(here);
        var asked = _time.GetTimestamp();
        _time.Advance(took);
        _there += (there ?? here) + took;
        _clock.Observe(_there, asked);
    }
}
