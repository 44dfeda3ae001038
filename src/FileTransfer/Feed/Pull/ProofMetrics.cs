using System.Diagnostics.Metrics;

namespace FileTransfer.Feed.Pull;

/// <summary>How often what this cluster has of an upstream was not what the upstream has.</summary>
public static class ProofMetrics
{
    private static readonly Meter _meter = new("FileTransfer.Sync");

    private static readonly Counter<long> _mismatches = _meter.CreateCounter<long>(
        "filetransfer.sync.digest.mismatches",
        null,
        "Times that the digest of a bin of an upstream began to differ though all of its feed was applied"
    );

    public static void Begin() => _mismatches.Add(0);

    internal static void Differed(int bins) => _mismatches.Add(bins);
}
