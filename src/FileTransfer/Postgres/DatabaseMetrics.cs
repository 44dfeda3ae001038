using System.Diagnostics.Metrics;

namespace FileTransfer.Postgres;

/// <summary>What becomes of the sessions that hold locks. Round trips and connections the driver measures itself.</summary>
public static class DatabaseMetrics
{
    private static readonly Meter _meter = new("FileTransfer.Database");

    private static readonly Counter<long> _lost = _meter.CreateCounter<long>(
        "filetransfer.lock.sessions.lost",
        null,
        "Sessions that held locks and are gone, with their locks"
    );

    public static void Begin() => _lost.Add(0);

    internal static void SessionLost() => _lost.Add(1);
}
