namespace FileTransfer.Bandwidth;

/// <summary>The rates of a <see cref="LimitSet"/>, read.</summary>
internal sealed class BandwidthSchedules
{
    private readonly Dictionary<string, BandwidthSchedule> _perSource;

    /// <param name="limits">Complete, and without faults.</param>
    public BandwidthSchedules(LimitSet limits)
    {
        Download = Read(limits.Download);
        Upload = Read(limits.Upload);
        _perSource = limits.PerSource!.ToDictionary(
            entry => entry.Key,
            entry => Read(entry.Value),
            StringComparer.OrdinalIgnoreCase
        );
    }

    public BandwidthSchedule Download { get; }

    public BandwidthSchedule Upload { get; }

    public bool LimitsSources => _perSource.Count > 0;

    /// <summary>By its whole id (<c>node a</c>), else by its name (<c>a</c>), else as any other.</summary>
    public BandwidthSchedule Of(string source) =>
        _perSource.GetValueOrDefault(source)
        ?? _perSource.GetValueOrDefault(source[(source.IndexOf(' ', StringComparison.Ordinal) + 1)..])
        ?? _perSource.GetValueOrDefault(LimitOptions.AnySource)
        ?? BandwidthSchedule.Unlimited;

    /// <summary>The next moment at which one of the rates is another; null = never.</summary>
    public DateTime? NextChange(DateTime local) =>
        _perSource.Values.Append(Download).Append(Upload).Select(timetable => timetable.At(local).Until).Min();

    /// <summary>The rates of the present time of day.</summary>
    public RatesNow Describe(TimeProvider time) =>
        new(
            Download.Describe(time),
            Upload.Describe(time),
            _perSource.ToDictionary(entry => entry.Key, entry => entry.Value.Describe(time))
        );

    private static BandwidthSchedule Read(string? text) =>
        BandwidthSchedule.TryParse(text, out var timetable, out var fault) ? timetable : throw new FormatException(fault);
}
