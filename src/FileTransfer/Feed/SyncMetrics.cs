using System.Diagnostics.Metrics;

namespace FileTransfer.Feed;

/// <summary>What upstreams offer and deliver, and what of that is not as it must be.</summary>
public static class SyncMetrics
{
    private static readonly Meter _meter = new("FileTransfer.Sync");
    private static readonly Counter<long> _offered = Counter("offered", "Mutations of upstreams that were read");
    private static readonly Counter<long> _wanted = Counter("wanted", "Files that upstreams were not known to have before");
    private static readonly Counter<long> _duplicate = Counter(
        "duplicate",
        "Mutations of upstreams that newer ones of the same file had overtaken"
    );
    private static readonly Counter<long> _rejected = Counter("rejected", "Answers of upstreams of which nothing was taken");
    private static readonly Counter<long> _delivered = Counter("delivered", "Contents that nodes of upstreams delivered");
    private static readonly Counter<long> _missing = Counter("missing", "Contents that nodes of upstreams did not have");
    private static readonly Counter<long> _unsolicited = Counter(
        "unsolicited",
        "Contents that nodes of upstreams delivered in place of those asked for"
    );

    public static void Begin()
    {
        foreach (
            var counter in (ReadOnlySpan<Counter<long>>)
                [_offered, _wanted, _duplicate, _rejected, _delivered, _missing, _unsolicited]
        )
        {
            counter.Add(0);
        }
    }

    internal static void Offered(int mutations) => _offered.Add(mutations);

    internal static void Wanted(int files) => _wanted.Add(files);

    internal static void Duplicate(int mutations) => _duplicate.Add(mutations);

    internal static void Rejected() => _rejected.Add(1);

    internal static void Delivered() => _delivered.Add(1);

    internal static void Missing() => _missing.Add(1);

    internal static void Unsolicited() => _unsolicited.Add(1);

    private static Counter<long> Counter(string name, string description) =>
        _meter.CreateCounter<long>($"filetransfer.sync.{name}", null, description);
}
