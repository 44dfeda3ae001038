using FileTransfer.Operations;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FileTransfer.Hosting.Health;

/// <summary>All that the health routes ask, one line each. A check is a small class beside these: <see cref="ReadinessCheck"/>.</summary>
/// <remarks>
/// A check that is registered to stop reads or writes refuses the route for them while it is unhealthy; whatever else is wrong degrades.
/// A node without its database still serves what it has stored, so <c>database</c> stops writes alone.
/// </remarks>
internal static partial class ReadinessChecks
{
    public static void AddReadinessChecks(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<NodeHealth>();
        builder.Services.AddSingleton<NodeRemoval>();
        builder
            .Services.AddHealthChecks()
            .Add<DatabaseCheck>("database", Stops.Writes)
            .Add<LeaderCheck>("leader", Stops.Writes)
            .Add<MembershipCheck>("membership", Stops.Nothing)
            .Add<StoreCheck>("store", Stops.Reads)
            .Add<DiskCheck>("disk", Stops.Nothing)
            .Add<ContentsCheck>("contents", Stops.Nothing)
            .Add<QueueCheck>("queue", Stops.Nothing)
            .Add<ConnectionsCheck>("connections", Stops.Nothing)
            .Add<ClockCheck>("clock", Stops.Nothing)
            .Add<FilesCheck>("files", Stops.Nothing)
            .Add<ReconciliationCheck>("reconciliation", Stops.Nothing)
            .Add<OrphansCheck>("orphans", Stops.Nothing)
            .Add<SourcesCheck>("sources", Stops.Nothing)
            .Add<UpstreamsCheck>("upstreams", Stops.Nothing)
            .Add<FollowersCheck>("followers", Stops.Nothing)
            .Add<IngestCheck>("ingest", Stops.Nothing)
            .Add<CertificatesCheck>("certificates", Stops.Nothing);
    }

    private static IHealthChecksBuilder Add<T>(this IHealthChecksBuilder checks, string name, Stops stops)
        where T : ReadinessCheck => checks.AddCheck<T>(name, tags: stops.Tags());
}

[Flags]
internal enum Stops
{
    Nothing = 0,
    Reads = 1,
    Writes = 2,
}

internal static class StopsTags
{
    public static IEnumerable<string> Tags(this Stops stops) =>
        new[] { Stops.Reads, Stops.Writes }.Where(one => stops.HasFlag(one)).Select(one => one.ToString());

    public static bool Breaks(this HealthReportEntry entry, Stops what) =>
        entry.Status == HealthStatus.Unhealthy && what.Tags().Any(entry.Tags.Contains);
}
