using System.Diagnostics.Metrics;

namespace FileTransfer.Cluster;

/// <summary>How often this node took the lead.</summary>
public static class ClusterMetrics
{
    private static readonly Meter _meter = new("FileTransfer.Cluster");

    private static readonly Counter<long> _taken = _meter.CreateCounter<long>(
        "filetransfer.leader.changes",
        null,
        "Times that this node took the lead"
    );

    public static void Begin() => _taken.Add(0);

    internal static void TookTheLead() => _taken.Add(1);
}
