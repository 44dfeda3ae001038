namespace FileTransfer.Bandwidth;

/// <summary>Limits as somebody gave them. What is left out is as configured.</summary>
/// <param name="Requests" example="50">Requests in flight at all sources, 1 to 10000.</param>
/// <param name="RequestsPerSource" example="4">Requests in flight at one source, 1 to 1000.</param>
/// <param name="Connections" example="25">Sources with requests in flight, 1 to 10000.</param>
/// <param name="Download" example="50MiB/s; 08:00-18:00 10MiB/s">Content downloaded per second: a rate, <c>unlimited</c>, or a timetable.</param>
/// <param name="Upload" example="unlimited">Content sent from here per second, likewise.</param>
/// <param name="PerSource">Content downloaded per second from one source, by its name; <c>*</c> stands for all others.</param>
public sealed record LimitSet(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Requests = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? RequestsPerSource = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Connections = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Download = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Upload = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string>? PerSource = null
)
{
    private const int LongestName = 100;
    private const int MostSources = 1000;
    private static readonly IReadOnlyDictionary<string, string> _none = new Dictionary<string, string>();

    public static LimitSet Of(LimitOptions options) =>
        new(
            options.Requests,
            options.RequestsPerSource,
            options.Connections,
            options.Download,
            options.Upload,
            options.PerSource.AsReadOnly()
        );

    /// <summary>What is given here, and the rest from another.</summary>
    public LimitSet Over(LimitSet other) =>
        new(
            Requests ?? other.Requests,
            RequestsPerSource ?? other.RequestsPerSource,
            Connections ?? other.Connections,
            Download ?? other.Download,
            Upload ?? other.Upload,
            PerSource ?? other.PerSource
        );

    /// <summary>Whether both say the same.</summary>
    public bool IsSame(LimitSet other) =>
        this with { PerSource = null } == other with { PerSource = null }
        && (PerSource ?? _none)
            .OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .SequenceEqual((other.PerSource ?? _none).OrderBy(entry => entry.Key, StringComparer.Ordinal));

    /// <summary>What is out of range or cannot be read, by member, and what to write instead.</summary>
    public IEnumerable<(string Member, string Text)> Faults() => Numbers().Concat(Timetables()).Concat(Names());

    private IEnumerable<(string Member, string Text)> Numbers() =>
        from number in new[]
        {
            (Name: nameof(Requests), Value: Requests, Most: 10_000),
            (Name: nameof(RequestsPerSource), Value: RequestsPerSource, Most: 1000),
            (Name: nameof(Connections), Value: Connections, Most: 10_000),
        }
        where number.Value is { } value && (value < 1 || value > number.Most)
        select (number.Name, $"{number.Value} is out of range; write 1 to {number.Most}");

    private IEnumerable<(string Member, string Text)> Timetables()
    {
        var texts = (PerSource ?? _none)
            .Select(entry => (Member: $"{nameof(PerSource)}:{entry.Key}", Text: entry.Value))
            .Prepend((nameof(Upload), Upload!))
            .Prepend((nameof(Download), Download!));
        foreach (var (member, text) in texts)
        {
            if (!BandwidthSchedule.TryParse(text, out _, out var fault))
            {
                yield return (member, fault);
            }
        }
    }

    private IEnumerable<(string Member, string Text)> Names()
    {
        if (PerSource is null)
        {
            yield break;
        }

        if (PerSource.Count > MostSources)
        {
            yield return (
                nameof(PerSource),
                $"{PerSource.Count} sources are too many; write at most {MostSources}, and * for the others"
            );
        }

        foreach (var name in PerSource.Keys.Where(name => name.Length is 0 or > LongestName))
        {
            yield return (nameof(PerSource), $"'{name}' names no source; write 1 to {LongestName} characters");
        }
    }
}
