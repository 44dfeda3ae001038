using FileTransfer.Chunks;
using FileTransfer.Hosting.Configuration;
using FileTransfer.Hosting.Requests;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FileTransfer.Hosting.Health;

internal sealed class NodeHealth(
    HealthCheckService service,
    RequestDrain drain,
    ChunkStore store,
    IHostApplicationLifetime lifetime
)
{
    /// <returns>
    /// <c>unhealthy</c> when what is <paramref name="required"/> does not work, <c>degraded</c> when something else does not; each check for itself.
    /// </returns>
    public async Task<HealthAnswer> AskAsync(ReadyWhen required, CancellationToken cancellationToken)
    {
        var report = await service.CheckHealthAsync(cancellationToken);
        var needed = required == ReadyWhen.Writes ? Stops.Reads | Stops.Writes : Stops.Reads;
        var status =
            drain.IsDraining ? "draining"
            : !lifetime.ApplicationStarted.IsCancellationRequested ? "starting"
            : report.Entries.Values.Any(entry => entry.Breaks(needed)) ? NameOf(HealthStatus.Unhealthy)
            : report.Status == HealthStatus.Healthy ? NameOf(HealthStatus.Healthy)
            : NameOf(HealthStatus.Degraded);
        var checks = report.Entries.ToDictionary(entry => entry.Key, entry => Of(entry.Value), StringComparer.Ordinal);
        return new HealthAnswer(status, checks, Disk());
    }

    /// <summary>Null where the disk does not say; its check says why.</summary>
    private DiskAnswer? Disk()
    {
        try
        {
            var space = store.FreeSpace();
            return new DiskAnswer(space.BytesFree, space.BytesTotal, space.FloorBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static CheckAnswer Of(HealthReportEntry entry) =>
        new(
            NameOf(entry.Status),
            entry.Description ?? entry.Exception?.Message,
            entry.Data.GetValueOrDefault(Finding.SinceKey) as DateTimeOffset?
        );

    public static string NameOf(HealthStatus status) =>
        status switch
        {
            HealthStatus.Healthy => "healthy",
            HealthStatus.Degraded => "degraded",
            _ => "unhealthy",
        };
}
