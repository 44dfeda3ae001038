using FileTransfer.Feed.Pull;

namespace FileTransfer.Feed.Push;

/// <summary>What keeps a follower from being shipped to.</summary>
/// <param name="Timestamp">Since when, by the clock that nobody sets.</param>
public sealed record ShippingFault(string Reason, DateTimeOffset Since, long Timestamp)
{
    public static ShippingFault Begin(string reason, TimeProvider time) => new(reason, time.GetUtcNow(), time.GetTimestamp());
}

/// <summary>How far a follower is with one bin.</summary>
/// <param name="Acknowledged">Every sequence up to it is applied there.</param>
/// <param name="Digest">Of the files that it has by that, as it says; null before it said so.</param>
/// <param name="RebuildDue">It is told all files instead of what follows.</param>
/// <param name="IsAhead">That is because it had more than there was here.</param>
public readonly record struct FollowerBin(long Acknowledged, string? Digest, bool RebuildDue, bool IsAhead);

/// <summary>A cluster that this one ships to, and how that goes.</summary>
public sealed class Follower
{
    private readonly Lock _gate = new();
    private readonly FollowerBin[] _bins = new FollowerBin[FeedPage.Bins];
    private readonly bool[] _unsaved = new bool[FeedPage.Bins];
    private volatile ShippingFault? _fault;
    private readonly TimeProvider _time;
    private ShippingFault? _rebuilding;
    private Guid? _epoch;

    public Follower(FollowerRow row, IEnumerable<AcknowledgedBin> bins, TimeProvider time)
    {
        (Row, Cluster, _time) = (row, row.Cluster, time);
        Buckets = row.Buckets.Length == 0 ? null : [.. row.Buckets.Split(',').Select(BucketOf)];
        foreach (var bin in bins)
        {
            _bins[bin.Bin] = new FollowerBin(bin.Acknowledged, null, bin.RebuildDue, IsAhead: false);
            _epoch = bin.Epoch;
        }

        NoteRebuilding();
    }

    public FollowerRow Row { get; }

    /// <summary>Only files of these are shipped; null = of all.</summary>
    public IReadOnlyList<ByteString>? Buckets { get; }

    /// <summary>Whether it is set so.</summary>
    public bool IsOf(FollowerRow row) => row with { Cluster = null } == Row with { Cluster = null };

    /// <summary>Which cluster it is; null before it was reached first.</summary>
    public string? Cluster { get; internal set; }

    /// <summary>The history that it was greeted in; null while it has to be greeted.</summary>
    public Guid? Greeted { get; internal set; }

    /// <summary>Null while nothing keeps it from being shipped to.</summary>
    public ShippingFault? Fault
    {
        get => _fault;
        internal set => _fault = value;
    }

    /// <summary>What keeps it from being shipped what follows, in words, and since when; null where nothing does.</summary>
    public ShippingFault? Trouble
    {
        get
        {
            if (Fault is { } fault)
            {
                return fault with { Reason = $"cannot be shipped to: {fault.Reason}" };
            }

            lock (_gate)
            {
                return _bins.Any(bin => bin.IsAhead) && _rebuilding is { } ahead
                    ? ahead with
                    {
                        Reason = "had more than there is here, and is told all files",
                    }
                    : _rebuilding;
            }
        }
    }

    public IReadOnlyList<FollowerBin> Bins
    {
        get
        {
            lock (_gate)
            {
                return [.. _bins];
            }
        }
    }

    /// <summary>The bins that lack something.</summary>
    public IEnumerable<short> Due(FeedHeads heads) =>
        Bins.Index()
            .Where(bin => bin.Item.RebuildDue || bin.Item.Acknowledged < heads.Sequences[bin.Index])
            .Select(bin => (short)bin.Index);

    /// <summary>The bins of which it has acknowledged all, and has other files.</summary>
    public IEnumerable<int> DifferingFrom(OfferedCursors cursors) =>
        Bins.Zip(cursors.Bins)
            .Where(bin => bin.First.Acknowledged == bin.Second.Head && bin.First.Digest != bin.Second.Digest.ToString())
            .Select(bin => bin.Second.Bin);

    internal void Set(Guid epoch, short bin, FollowerBin now)
    {
        lock (_gate)
        {
            _epoch = epoch;
            _bins[bin] = now;
            _unsaved[bin] = true;
            NoteRebuilding();
        }
    }

    /// <summary>It has applied a bin so far. That it is too far behind stays so.</summary>
    internal void Acknowledge(short bin, ShipmentPosition answer)
    {
        lock (_gate)
        {
            _bins[bin] = _bins[bin] with { Acknowledged = answer.Applied, Digest = answer.Digest };
            _unsaved[bin] = true;
        }
    }

    private void NoteRebuilding() =>
        _rebuilding = _bins.Any(bin => bin.RebuildDue)
            ? _rebuilding ?? ShippingFault.Begin("is told all files instead of what follows", _time)
            : null;

    private static ByteString BucketOf(string hex) =>
        BucketId.TryParse(hex, out var bucket) ? bucket.Value : throw new FormatException($"'{hex}' is no bucket");

    internal void RequireRebuild(int bin)
    {
        lock (_gate)
        {
            _unsaved[bin] |= !_bins[bin].RebuildDue;
            _bins[bin] = _bins[bin] with { RebuildDue = true };
            NoteRebuilding();
        }
    }

    /// <summary>What has changed since it was taken last.</summary>
    internal IReadOnlyList<AcknowledgedBin> TakeUnsaved()
    {
        lock (_gate)
        {
            List<AcknowledgedBin> taken =
            [
                .. _bins
                    .Index()
                    .Where(bin => _unsaved[bin.Index])
                    .Select(bin => new AcknowledgedBin(
                        Row.Name,
                        (short)bin.Index,
                        _epoch,
                        bin.Item.Acknowledged,
                        bin.Item.RebuildDue
                    )),
            ];
            Array.Clear(_unsaved);
            return taken;
        }
    }
}
