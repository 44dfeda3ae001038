namespace FileTransfer.Bandwidth;

/// <summary>
/// A rate, or none, by time of day: <c>50MiB/s; 08:00-18:00 10MiB/s; sat,sun 00:00-24:00 unlimited</c>. An entry without a time is for
/// the rest of the day; of two entries for one moment the later one counts; a time may go past midnight. Without any: unlimited.
/// </summary>
public sealed class BandwidthSchedule
{
    public const string UnlimitedText = "unlimited";

    private readonly IReadOnlyList<ScheduleRule> _entries;

    private BandwidthSchedule(IReadOnlyList<ScheduleRule> entries) => _entries = entries;

    public static BandwidthSchedule Unlimited { get; } = new([]);

    /// <param name="text">The entries, separated by semicolons; empty = unlimited.</param>
    /// <param name="timetable">What it says.</param>
    /// <param name="fault">What cannot be read, and what to write instead.</param>
    public static bool TryParse(string? text, out BandwidthSchedule timetable, out string fault)
    {
        (timetable, fault) = (Unlimited, "");
        var entries = new List<ScheduleRule>();
        foreach (var part in (text ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!ScheduleRule.TryParse(part, out var entry))
            {
                fault =
                    $"'{part}' is not understood; write {ByteRate.Form}, or {UnlimitedText}, after days and times where it is not for "
                    + "always, separated by semicolons: 50MiB/s; 08:00-18:00 10MiB/s; sat,sun 00:00-24:00 unlimited";
                return false;
            }

            entries.Add(entry);
        }

        timetable = new BandwidthSchedule(entries);
        return true;
    }

    /// <summary>The rate at a moment of local time, and the next moment at which it is another; null = never.</summary>
    public (ByteRate? Rate, DateTime? Until) At(DateTime local)
    {
        var rate = RateAt(local);
        var next = _entries
            .SelectMany(entry => entry.Edges(local))
            .Where(edge => edge > local && RateAt(edge) != rate)
            .Select(edge => (DateTime?)edge)
            .Min();
        return (rate, next);
    }

    /// <summary>The rate of the present time of day.</summary>
    public RateNow Describe(TimeProvider time)
    {
        var (rate, until) = At(time.GetLocalNow().DateTime);
        return new RateNow(
            Text(rate),
            rate?.BytesPerSecond,
            until is { } end ? new DateTimeOffset(end, time.LocalTimeZone.GetUtcOffset(end)) : null,
            until is { } next ? Text(At(next).Rate) : null
        );
    }

    public override string ToString() => _entries.Count == 0 ? UnlimitedText : string.Join("; ", _entries);

    private static string Text(ByteRate? rate) => rate?.ToString() ?? UnlimitedText;

    private ByteRate? RateAt(DateTime local) => _entries.LastOrDefault(entry => entry.Covers(local))?.Rate;
}
