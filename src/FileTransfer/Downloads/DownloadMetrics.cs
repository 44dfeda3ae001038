using System.Diagnostics.Metrics;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads;

/// <summary>What downloads bring, how long their steps at the database take, and what sources did wrong, by kind of source.</summary>
public static class DownloadMetrics
{
    private static readonly Meter _meter = new("FileTransfer.Downloads");
    private static readonly InstrumentAdvice<double> _steps = new() { HistogramBucketBoundaries = [0.001, 0.01, 0.1, 1, 10] };

    private static readonly KeyValuePair<string, object?>[] _kinds =
    [
        new("source", "node"),
        new("source", "upstream"),
        new("source", "share"),
        new("source", "stream"),
    ];

    private static readonly Counter<long> _files = Counter("stored", null, "Files that were downloaded and stored");
    private static readonly Counter<long> _bytes = Counter(
        "stored.size",
        "By",
        "Bytes of the files that were downloaded and stored"
    );
    private static readonly Counter<long> _failed = Counter("failed", null, "Files that were given up until somebody asks again");
    private static readonly Counter<long> _retried = Counter("retried", null, "Attempts that failed and are made again");
    private static readonly Counter<long> _proven = Counter("chunks.proven", null, "Chunks that came and were right");
    private static readonly Counter<long> _corrupt = Counter(
        "proof.failures",
        null,
        "Answers with other bytes than the file has"
    );
    private static readonly Counter<long> _faults = Counter(
        "source.faults",
        null,
        "Requests that a source did not answer as asked"
    );

    private static readonly Histogram<double> _claim = Histogram("claim", "Round trips that claim files");
    private static readonly Histogram<double> _publish = Histogram(
        "publish",
        "From proven to stored, for files that are published together"
    );

    public static void Begin()
    {
        foreach (var counter in (ReadOnlySpan<Counter<long>>)[_files, _bytes, _failed, _retried])
        {
            counter.Add(0);
        }

        foreach (var kind in _kinds)
        {
            foreach (var counter in (ReadOnlySpan<Counter<long>>)[_proven, _corrupt, _faults])
            {
                counter.Add(0, kind);
            }
        }
    }

    internal static void Stored(long size)
    {
        _files.Add(1);
        _bytes.Add(size);
    }

    internal static void Failed() => _failed.Add(1);

    internal static void Retried() => _retried.Add(1);

    internal static void Claimed(TimeSpan took) => _claim.Record(took.TotalSeconds);

    internal static void Published(TimeSpan took) => _publish.Record(took.TotalSeconds);

    internal static void Proven(SourceId source, int chunks) => _proven.Add(chunks, Of(source));

    /// <summary>A source did not do what it was asked for; that it is busy, or asks to be left alone, is no fault.</summary>
    internal static void Fault(SourceId source, SourceFaultKind fault)
    {
        if (fault is SourceFaultKind.Corrupt)
        {
            _corrupt.Add(1, Of(source));
        }
        else if (fault is not (SourceFaultKind.Busy or SourceFaultKind.Throttled))
        {
            _faults.Add(1, Of(source));
        }
    }

    /// <summary>A source's name begins with what it is: <c>share mirror</c>. Asked for each run of chunks that comes, so it allocates nothing.</summary>
    private static KeyValuePair<string, object?> Of(SourceId source)
    {
        foreach (var kind in _kinds)
        {
            if (source.Value.StartsWith((string)kind.Value!, StringComparison.Ordinal))
            {
                return kind;
            }
        }

        return _kinds[^1];
    }

    private static Counter<long> Counter(string name, string? unit, string description) =>
        _meter.CreateCounter<long>($"filetransfer.downloads.{name}", unit, description);

    private static Histogram<double> Histogram(string name, string description) =>
        _meter.CreateHistogram($"filetransfer.downloads.{name}", "s", description, null, _steps);
}
