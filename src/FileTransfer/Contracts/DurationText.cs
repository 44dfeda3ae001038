namespace FileTransfer.Contracts;

/// <summary>Durations as people write them: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>1h30m</c>; a bare number is seconds.</summary>
public static class DurationText
{
    private static readonly SearchValues<char> _number = SearchValues.Create("0123456789.");
    private static readonly TimeSpan _longest = TimeSpan.FromDays(30);

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan();
        do
        {
            var digits = rest.IndexOfAnyExcept(_number);
            var number = digits < 0 ? rest : rest[..digits];
            if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
            {
                return false;
            }

            rest = rest[number.Length..];
            var letters = rest.IndexOfAny(_number);
            var unit = letters < 0 ? rest : rest[..letters];
            rest = rest[unit.Length..];
            var seconds = unit switch
            {
                "" or "s" => 1.0,
                "ms" => 0.001,
                "m" => 60,
                "h" => 3600,
                "d" => 86400,
                _ => double.NaN,
            };
            if (!(value * seconds <= _longest.TotalSeconds))
            {
                return false;
            }

            duration += TimeSpan.FromSeconds(value * seconds);
        } while (!rest.IsEmpty);

        return duration <= _longest;
    }
}
