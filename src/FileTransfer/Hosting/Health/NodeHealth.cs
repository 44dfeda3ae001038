using FileTransfer.Hosting.Configuration;
using FileTransfer.Hosting.Requests;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FileTransfer.Hosting.Health;

internal sealed class NodeHealth(HealthCheckService checks, RequestDrain drain, IHostApplicationLifetime lifetime)
{
    /// <returns>
    /// <c>unhealthy</c> when what is <paramref name="required"/> does not work, <c>degraded</c> when something else does not; each check for itself.
    /// </returns>
    public async Task<(string Status, HealthReport Report)> AskAsync(ReadyWhen required, CancellationToken cancellationToken)
    {
        var report = await checks.CheckHealthAsync(cancellationToken);
        var needed = required == ReadyWhen.Writes ? Stops.Reads | Stops.Writes : Stops.Reads;
        var status =
            drain.IsDraining ? "draining"
            : !lifetime.ApplicationStarted.IsCancellationRequested ? "starting"
            : report.Entries.Values.Any(entry => entry.Breaks(needed)) ? NameOf(HealthStatus.Unhealthy)
            : report.Status == HealthStatus.Healthy ? NameOf(HealthStatus.Healthy)
            : NameOf(HealthStatus.Degraded);
        return (status, report);
    }

    public static string NameOf(HealthStatus status) =>
        status switch
        {
            HealthStatus.Healthy => "healthy",
            HealthStatus.Degraded => "degraded",
            _ => "unhealthy",
        };
}
