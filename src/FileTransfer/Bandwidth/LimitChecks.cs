namespace FileTransfer.Bandwidth;

/// <summary>What limits may be.</summary>
public static class LimitChecks
{
    private const int LongestName = 100;
    private const int MostSources = 1000;

    /// <summary>What is out of range or cannot be read, by member, and what to write instead.</summary>
    public static IEnumerable<(string Member, string Text)> Faults(this LimitSet limits) =>
        Numbers(limits).Concat(Timetables(limits)).Concat(Names(limits));

    private static IEnumerable<(string Member, string Text)> Numbers(LimitSet limits) =>
        from number in new[]
        {
            (Name: nameof(LimitSet.Requests), Value: limits.Requests, Most: 10_000),
            (Name: nameof(LimitSet.RequestsPerSource), Value: limits.RequestsPerSource, Most: 1000),
            (Name: nameof(LimitSet.Connections), Value: limits.Connections, Most: 10_000),
        }
        where number.Value is { } value && (value < 1 || value > number.Most)
        select (number.Name, $"{number.Value} is out of range; write 1 to {number.Most}");

    private static IEnumerable<(string Member, string Text)> Timetables(LimitSet limits)
    {
        var texts = (limits.PerSource ?? new Dictionary<string, string>())
            .Select(entry => (Member: $"{nameof(LimitSet.PerSource)}:{entry.Key}", Text: entry.Value))
            .Prepend((nameof(LimitSet.Upload), limits.Upload!))
            .Prepend((nameof(LimitSet.Download), limits.Download!));
        foreach (var (member, text) in texts)
        {
            if (!BandwidthSchedule.TryParse(text, out _, out var fault))
            {
                yield return (member, fault);
            }
        }
    }

    private static IEnumerable<(string Member, string Text)> Names(LimitSet limits)
    {
        if (limits.PerSource is not { } sources)
        {
            yield break;
        }

        if (sources.Count > MostSources)
        {
            yield return (
                nameof(LimitSet.PerSource),
                $"{sources.Count} sources are too many; write at most {MostSources}, and * for the others"
            );
        }

        foreach (var name in sources.Keys.Where(name => name.Length is 0 or > LongestName))
        {
            yield return (nameof(LimitSet.PerSource), $"'{name}' names no source; write 1 to {LongestName} characters");
        }
    }
}
