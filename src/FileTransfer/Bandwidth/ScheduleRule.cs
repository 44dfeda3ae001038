namespace FileTransfer.Bandwidth;

/// <summary>One entry of a timetable: days, times and the rate, or none, that is for them.</summary>
internal sealed record ScheduleRule(ByteRate? Rate, TimeSpan? From, TimeSpan? To, IReadOnlySet<DayOfWeek>? Days)
{
    private static readonly TimeSpan _day = TimeSpan.FromDays(1);
    private static readonly string[] _names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    /// <summary>It began on one day and ends on the next.</summary>
    private bool PassesMidnight => To <= From;

    public static bool TryParse(string text, out ScheduleRule entry)
    {
        entry = new ScheduleRule(null, null, null, null);
        var parts = text.Split(' ', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts is [var days, ..] && TryParseDays(days, out var found))
        {
            entry = entry with { Days = found };
            parts = parts[1..];
        }

        if (parts is [var times, ..] && TryParseTimes(times, out var from, out var to))
        {
            entry = entry with { From = from, To = to };
            parts = parts[1..];
        }

        var rest = string.Join(' ', parts);
        if (string.Equals(rest, BandwidthSchedule.UnlimitedText, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        entry = entry with { Rate = ByteRate.TryParse(rest, out var rate) ? rate : null };
        return entry.Rate is not null;
    }

    public bool Covers(DateTime local)
    {
        var time = local.TimeOfDay;
        if (From is not { } from || To is not { } to)
        {
            return IsFor(local.DayOfWeek);
        }

        return PassesMidnight
            ? (time >= from && IsFor(local.DayOfWeek)) || (time < to && IsFor(local.AddDays(-1).DayOfWeek))
            : time >= from && time < to && IsFor(local.DayOfWeek);
    }

    /// <summary>The moments of the following week at which it may begin or end.</summary>
    public IEnumerable<DateTime> Edges(DateTime local) =>
        Enumerable
            .Range(0, 9)
            .SelectMany(day => new[] { From ?? TimeSpan.Zero, To ?? _day }, (day, time) => local.Date.AddDays(day) + time);

    public override string ToString()
    {
        var days = Days is null ? "" : string.Join(',', Days.Order().Select(day => _names[(int)day])) + " ";
        var times = From is { } from && To is { } to ? $"{Text(from)}-{Text(to)} " : "";
        return $"{days}{times}{Rate?.ToString() ?? BandwidthSchedule.UnlimitedText}";
    }

    private static string Text(TimeSpan time) => time == _day ? "24:00" : time.ToString("hh\\:mm", CultureInfo.InvariantCulture);

    private bool IsFor(DayOfWeek day) => Days?.Contains(day) ?? true;

    private static bool TryParseTimes(string text, out TimeSpan from, out TimeSpan to)
    {
        to = default;
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        from = default;
        return dash > 0
            && TryParseTime(text[..dash], out from)
            && TryParseTime(text[(dash + 1)..], out to)
            && from < _day
            && from != to;
    }

    private static bool TryParseTime(string text, out TimeSpan time)
    {
        time = _day;
        return text == "24:00" || TimeSpan.TryParseExact(text, ["h\\:mm", "hh\\:mm"], CultureInfo.InvariantCulture, out time);
    }

    /// <summary><c>mon-fri</c>, <c>sat,sun</c>, or both kinds together.</summary>
    private static bool TryParseDays(string text, out IReadOnlySet<DayOfWeek> days)
    {
        var found = new HashSet<DayOfWeek>();
        days = found;
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            var first = DayOf(ends[0]);
            var last = DayOf(ends[^1]);
            if (ends.Length > 2 || first < 0 || last < 0)
            {
                return false;
            }

            for (var day = first; ; day = (day + 1) % _names.Length)
            {
                found.Add((DayOfWeek)day);
                if (day == last)
                {
                    break;
                }
            }
        }

        return true;
    }

    private static int DayOf(string text) =>
        Array.FindIndex(_names, name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase));
}
