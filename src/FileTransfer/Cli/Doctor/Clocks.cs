namespace FileTransfer.Cli.Doctor;

/// <summary>How far the clocks of others are from this machine's.</summary>
internal sealed class Clocks(TimeProvider time)
{
    /// <summary>A header says the time in whole seconds.</summary>
    private static readonly TimeSpan _halfASecond = TimeSpan.FromMilliseconds(500);

    /// <summary>More is no clock that NTP keeps.</summary>
    private const double MostSeconds = 5;

    private readonly List<(string Whose, double Ahead)> _seen = [];

    /// <summary>What somebody's clock said in answer to what was asked at <paramref name="asked"/>.</summary>
    public void Add(string whose, DateTimeOffset there, DateTimeOffset asked)
    {
        var middle = asked + ((time.GetUtcNow() - asked) / 2);
        _seen.Add((whose, (there - middle).TotalSeconds));
    }

    /// <summary>The same of the date of an HTTP answer.</summary>
    public void AddDate(string whose, DateTimeOffset? date, DateTimeOffset asked)
    {
        if (date is { } there)
        {
            Add(whose, there + _halfASecond, asked);
        }
    }

    public Finding Look()
    {
        if (_seen.Count == 0)
        {
            return Finding.Skipped("neither the database nor a node has said what time it is");
        }

        var seen =
            $"against this machine's: {string.Join(", ", _seen.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Whose} {one.Ahead:+0.0;-0.0;0.0} s")))}";
        var found = _seen.Exists(one => Math.Abs(one.Ahead) > MostSeconds)
            ? Finding.Warning(seen, "Keep all clocks in sync by NTP: signed requests and ends of tokens depend on them")
            : Finding.Ok(seen);
        return found with { Figures = new() { ["secondsApart"] = _seen.Max(one => Math.Abs(one.Ahead)) } };
    }
}
