using System.Globalization;
using FileTransfer.Bandwidth;

namespace FileTransfer.Tests.Bandwidth;

public sealed class BandwidthScheduleTests
{
    [Theory]
    [InlineData("10MiB/s", 10 * 1024 * 1024)]
    [InlineData("1.5 MiB/s", 1_572_864)]
    [InlineData("500kB/s", 500_000)]
    [InlineData("500KB/s", 500_000)]
    [InlineData("100Mbit/s", 12_500_000)]
    [InlineData("2048B/s", 2048)]
    [InlineData("1GiB/s", 1024 * 1024 * 1024)]
    public void A_rate_is_read_with_its_unit(string text, long bytesPerSecond)
    {
        ByteRate.TryParse(text, out var rate).ShouldBeTrue();
        rate.BytesPerSecond.ShouldBe(bytesPerSecond);
        ByteRate.TryParse(rate.ToString(), out var again).ShouldBeTrue();
        again.ShouldBe(rate);
    }

    [Theory]
    [InlineData(10 * 1024 * 1024, "10MiB/s")]
    [InlineData(20_000_000, "20MB/s")]
    [InlineData(1_234_567, "1234567B/s")]
    public void A_rate_is_written_as_short_as_it_can_be(long bytesPerSecond, string text) =>
        new ByteRate(bytesPerSecond).ToString().ShouldBe(text);

    [Theory]
    [InlineData("10Mb/s")]
    [InlineData("10")]
    [InlineData("10MiB")]
    [InlineData("0B/s")]
    [InlineData("-1MB/s")]
    [InlineData("1000TiB/s")]
    [InlineData("fast; 10MiB/s")]
    [InlineData("08:00-08:00 10MiB/s")]
    [InlineData("24:00-08:00 10MiB/s")]
    [InlineData("08:00-25:00 10MiB/s")]
    [InlineData("08:00 10MiB/s")]
    [InlineData("weekend 10MiB/s")]
    [InlineData("10MiB/s 08:00-18:00")]
    public void What_is_not_understood_is_refused_with_what_to_write(string text)
    {
        BandwidthSchedule.TryParse(text, out _, out var fault).ShouldBeFalse();
        fault.ShouldContain("08:00-18:00 10MiB/s");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("unlimited")]
    [InlineData(" ; ")]
    public void Without_a_rate_it_is_unlimited_for_ever(string? text)
    {
        BandwidthSchedule.TryParse(text, out var timetable, out _).ShouldBeTrue();
        timetable.At(DateTime.UnixEpoch).ShouldBe((null, null));
        timetable.ToString().ShouldBe("unlimited");
    }

    // 2026-03-06 is a Friday.
    [Theory]
    [InlineData("50MiB/s; 08:00-18:00 10MiB/s", "2026-03-06 07:59", "50MiB/s", "2026-03-06 08:00")]
    [InlineData("50MiB/s; 08:00-18:00 10MiB/s", "2026-03-06 08:00", "10MiB/s", "2026-03-06 18:00")]
    [InlineData("50MiB/s; 08:00-18:00 10MiB/s", "2026-03-06 18:00", "50MiB/s", "2026-03-07 08:00")]
    [InlineData("08:00-18:00 10MiB/s", "2026-03-06 19:00", "unlimited", "2026-03-07 08:00")]
    [InlineData("22:00-06:00 unlimited; 1MB/s", "2026-03-06 23:00", "1MB/s", null)]
    [InlineData("1MB/s; 22:00-06:00 unlimited", "2026-03-06 23:00", "unlimited", "2026-03-07 06:00")]
    [InlineData("1MB/s; 22:00-06:00 unlimited", "2026-03-06 05:59", "unlimited", "2026-03-06 06:00")]
    [InlineData("1MB/s; fri 22:00-06:00 2MB/s", "2026-03-07 05:00", "2MB/s", "2026-03-07 06:00")]
    [InlineData("1MB/s; fri 22:00-06:00 2MB/s", "2026-03-08 05:00", "1MB/s", "2026-03-13 22:00")]
    [InlineData("1MB/s; sat,sun unlimited", "2026-03-06 12:00", "1MB/s", "2026-03-07 00:00")]
    [InlineData("1MB/s; sat,sun unlimited", "2026-03-07 12:00", "unlimited", "2026-03-09 00:00")]
    [InlineData("1MB/s; mon-fri 08:00-24:00 2MB/s", "2026-03-06 12:00", "2MB/s", "2026-03-07 00:00")]
    [InlineData("1MB/s; fri-mon 2MB/s", "2026-03-06 12:00", "2MB/s", "2026-03-10 00:00")]
    [InlineData("5MB/s; 08:00-12:00 5MB/s", "2026-03-06 07:00", "5MB/s", null)]
    public void The_rate_of_a_moment_and_the_moment_it_ends(string text, string at, string rate, string? until)
    {
        BandwidthSchedule.TryParse(text, out var timetable, out var fault).ShouldBeTrue(fault);
        var now = timetable.At(DateTime.Parse(at, CultureInfo.InvariantCulture));
        (now.Rate?.ToString() ?? "unlimited").ShouldBe(rate);
        now.Until.ShouldBe(until is null ? null : DateTime.Parse(until, CultureInfo.InvariantCulture));

        BandwidthSchedule.TryParse(timetable.ToString(), out var again, out fault).ShouldBeTrue(fault);
        again.ToString().ShouldBe(timetable.ToString());
    }
}
