namespace FileTransfer.Wants.Loads;

/// <summary>The loads that event streams follow, read once for all streams of a load.</summary>
internal sealed class FollowedLoads(LoadTable table, LoadReports reports, LoadMaintenance maintenance, TimeProvider time)
{
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    private readonly RecentWork<string, LoadRow?> _rows = new(Pace, time);
    private readonly RecentWork<(long Load, bool HasEnded), LoadResource> _described = new(Pace, time);
    private readonly RecentWork<long, LoadResource> _progress = new(Pace, time);

    public Task<LoadRow?> FindAsync(string name, CancellationToken cancellationToken) =>
        _rows.RunAsync(name, () => table.FindAsync(name, CancellationToken.None), cancellationToken);

    /// <summary>How far one that runs is, as it was last counted; without what is missing.</summary>
    public Task<LoadResource> ProgressAsync(LoadRow load, CancellationToken cancellationToken) =>
        maintenance.ProgressOf(load) is { } progress
            ? _progress.RunAsync(
                load.LoadId,
                () => reports.DescribeAsync(load, progress, CancellationToken.None),
                cancellationToken
            )
            : DescribeAsync(load, cancellationToken);

    /// <summary>How far it is, and what is missing; once it has ended, with all its labels.</summary>
    public Task<LoadResource> DescribeAsync(LoadRow load, CancellationToken cancellationToken)
    {
        var hasEnded = load.EndedAt is not null;
        return _described.RunAsync(
            (load.LoadId, hasEnded),
            () => reports.DescribeAsync(load, withLabels: hasEnded, CancellationToken.None),
            cancellationToken
        );
    }
}
