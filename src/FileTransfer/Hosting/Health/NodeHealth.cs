using FileTransfer.Chunks;
using FileTransfer.Hosting.Configuration;
using FileTransfer.Hosting.Requests;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FileTransfer.Hosting.Health;

internal sealed class NodeHealth(
    HealthCheckService service,
    RequestDrain drain,
    ChunkStore store,
    Database database,
    TimeProvider time,
    IHostApplicationLifetime lifetime
)
{
    /// <summary>Everybody may ask, as often as he likes; the database is asked no more often for it.</summary>
    private const int MostLooksPerSecond = 50;

    private readonly Lock _lock = new();
    private Task<HealthReport>? _newest;
    private long _secondBegan;
    private int _looks;

    /// <summary>Since when each check has been as it is, where it does not say so itself.</summary>
    private readonly ConcurrentDictionary<string, (HealthStatus Status, DateTimeOffset Since)> _seen = new(
        StringComparer.Ordinal
    );

    /// <summary>Whether the start is over, and what it waits for.</summary>
    public HealthAnswer Startup()
    {
        var since = database.Reach.Outage?.Since;
        return database.IsReady
            ? new HealthAnswer(NameOf(HealthStatus.Healthy), null)
            : new HealthAnswer(
                "starting",
                new Dictionary<string, CheckAnswer>(StringComparer.Ordinal)
                {
                    ["database"] = new(NameOf(HealthStatus.Unhealthy), database.WaitingFor, since),
                }
            );
    }

    /// <returns>
    /// <c>unhealthy</c> when what is <paramref name="required"/> does not work, <c>degraded</c> when something else does not; each check for itself.
    /// </returns>
    public async Task<HealthAnswer> AskAsync(ReadyWhen required, CancellationToken cancellationToken)
    {
        var report = await LookAsync().WaitAsync(cancellationToken);
        var needed = required == ReadyWhen.Writes ? Stops.Reads | Stops.Writes : Stops.Reads;
        var status =
            drain.IsDraining ? "draining"
            : !lifetime.ApplicationStarted.IsCancellationRequested ? "starting"
            : report.Entries.Values.Any(entry => entry.Breaks(needed)) ? NameOf(HealthStatus.Unhealthy)
            : report.Status == HealthStatus.Healthy ? NameOf(HealthStatus.Healthy)
            : NameOf(HealthStatus.Degraded);
        var checks = report.Entries.ToDictionary(entry => entry.Key, entry => Of(entry.Key, entry.Value), StringComparer.Ordinal);
        return new HealthAnswer(status, checks, Disk());
    }

    /// <summary>What the checks say now; beyond the bound, what they said within the last second.</summary>
    private Task<HealthReport> LookAsync()
    {
        lock (_lock)
        {
            if (_newest is null || time.GetElapsedTime(_secondBegan) > TimeSpan.FromSeconds(1))
            {
                (_secondBegan, _looks) = (time.GetTimestamp(), 0);
            }

            return ++_looks <= MostLooksPerSecond ? _newest = service.CheckHealthAsync() : _newest!;
        }
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

    private CheckAnswer Of(string name, HealthReportEntry entry)
    {
        var (_, since) = _seen.AddOrUpdate(
            name,
            _ => (entry.Status, time.GetUtcNow()),
            (_, before) => before.Status == entry.Status ? before : (entry.Status, time.GetUtcNow())
        );
        return new CheckAnswer(
            NameOf(entry.Status),
            entry.Description ?? entry.Exception?.Message,
            entry.Data.GetValueOrDefault(Finding.SinceKey) as DateTimeOffset? ?? since
        );
    }

    public static string NameOf(HealthStatus status) =>
        status switch
        {
            HealthStatus.Healthy => "healthy",
            HealthStatus.Degraded => "degraded",
            _ => "unhealthy",
        };
}
