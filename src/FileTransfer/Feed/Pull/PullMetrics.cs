using System.Diagnostics.Metrics;

namespace FileTransfer.Feed.Pull;

/// <summary>How far the leader is with the feeds of its upstreams, measured when somebody looks; other nodes tell nothing.</summary>
internal sealed class PullMetrics : IDisposable
{
    private readonly Meter _meter = new("FileTransfer.Sync");

    public PullMetrics(IReadOnlyList<Upstream> upstreams)
    {
        _meter.CreateObservableGauge(
            "filetransfer.sync.gaps.stalled",
            () =>
                upstreams
                    .Where(upstream => upstream.Newest is not null || upstream.Fault is not null)
                    .Select(upstream => Measure(upstream.Fault is null ? upstream.Standing.Count : FeedPage.Bins, upstream)),
            null,
            "Bins of an upstream that stand still by a fault"
        );
        _meter.CreateObservableGauge(
            "filetransfer.sync.last.received",
            () =>
                upstreams.SelectMany(upstream =>
                    (upstream.Newest ?? []).Select(
                        (sequence, bin) => Measure(sequence, upstream, KeyValuePair.Create<string, object?>("bin", bin))
                    )
                ),
            null,
            "The newest sequence of each bin of an upstream that was applied"
        );
    }

    public void Dispose() => _meter.Dispose();

    private static Measurement<long> Measure(long value, Upstream upstream, params KeyValuePair<string, object?>[] tags) =>
        new(value, [KeyValuePair.Create<string, object?>("upstream", upstream.Options.Name), .. tags]);
}
