using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>
/// The feed of a cluster with another database, as it is read over HTTP. What was there when the reading began is its history, whose gaps are
/// closed from the first on; what is told of later are news, and read beside it.
/// </summary>
/// <param name="firstBin">Whose history is read first: another after a fault, so that a bin at fault is not always before the others.</param>
internal sealed class PulledFeed(
    UpstreamOptions upstream,
    UpstreamClient client,
    FileCommands commands,
    string here,
    int firstBin,
    TimeProvider time
)
{
    private const int NewsAtFirst = 250;

    /// <summary>How long the upstream keeps a question for news while there is none.</summary>
    private static readonly TimeSpan _wait = TimeSpan.FromSeconds(60);

    /// <summary>An upstream that has no news and says so at once is asked again after so long.</summary>
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private UpstreamPosition[] _positions = [];

    /// <summary>By bin, where its history ends or its last news did.</summary>
    private long[] _read = [];
    private long? _askedInVainAt;

    /// <summary>What the upstream said last; null before that.</summary>
    public UpstreamCursors? Told { get; private set; }

    /// <summary>Bins that are to be compared before anything of them is read.</summary>
    public IReadOnlyList<short> DueForComparison =>
        [.. _positions.Where(position => position.CompareDue).Select(position => position.Bin)];

    public IReadOnlyList<FeedGap> News =>
        [
            .. _positions
                .Select(bin => new FeedGap(bin.Bin, _read[bin.Bin], Told!.Heads[bin.Bin]))
                .Where(gap => gap.After < gap.Until),
        ];

    /// <summary>The first gap of each bin's history.</summary>
    public IReadOnlyList<FeedGap> Gaps
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. _positions
                        .Select(bin => new FeedGap(bin.Bin, bin.Sealed, bin.GapUntil ?? _read[bin.Bin]))
                        .Where(gap => gap.After < gap.Until)
                        .OrderBy(gap => (gap.Bin + FeedPage.Bins - firstBin) % FeedPage.Bins),
                ];
            }
        }
    }

    /// <summary>Asks how far the feed goes: at once the first time, else when there is news.</summary>
    public async Task<UpstreamCursors> AskAsync(CancellationToken cancellationToken)
    {
        var (wait, asked) = (TimeSpan.Zero, new List<string>());
        if (Told is not null)
        {
            wait = _wait;
            asked.AddRange([$"after={string.Join(',', Told.Heads)}", $"wait={wait.TotalSeconds}s"]);
            if (_askedInVainAt is { } at && _period - time.GetElapsedTime(at) is { Ticks: > 0 } pause)
            {
                await Task.Delay(pause, time, cancellationToken);
            }
        }

        if (upstream.Buckets.Count > 0)
        {
            asked.Add($"buckets={string.Join(',', upstream.Buckets)}");
        }

        var begun = time.GetTimestamp();
        var answer = await client.GetAsync(
            $"{Routes.Cursors}?{string.Join('&', asked)}",
            wait,
            WireJson.Default.SyncCursors,
            cancellationToken
        );
        var told = OfferReading.Read(answer ?? throw new UpstreamFaultException("it has no cursors"), here);
        _askedInVainAt = Told is not null && told.Heads.SequenceEqual(Told.Heads) ? begun : null;
        return told;
    }

    /// <summary>Notes what was told. A history that goes on as it was has only grown.</summary>
    public async Task SeeAsync(UpstreamCursors told, CancellationToken cancellationToken)
    {
        if (Told is null || !told.GoesOnFrom(Told))
        {
            _positions = [.. await commands.SettleUpstreamAsync(upstream.Name, told, cancellationToken)];
            _read = [.. _positions.Select(bin => HistoryEndOf(bin, told.Heads[bin.Bin]))];
        }

        Told = told;
    }

    /// <summary>Where some of a bin was read before, the last of what came since is news.</summary>
    private static long HistoryEndOf(UpstreamPosition bin, long head) =>
        bin.Applied == 0 ? head : Math.Max(bin.Newest, head - NewsAtFirst);

    /// <summary>Reads and applies the first part of a gap.</summary>
    /// <returns>What is left of it; null where nothing is.</returns>
    /// <exception cref="PositionMovedException">Somebody else has read it.</exception>
    public async Task<FeedGap?> ReadAsync(FeedGap gap, CancellationToken cancellationToken)
    {
        var path = $"{Routes.Of(Routes.Bin, gap.Bin)}?from={gap.After + 1}&to={gap.Until}";
        var offer = await client.GetAsync(path, TimeSpan.Zero, WireJson.Default.SyncPage, cancellationToken);
        if (offer is null)
        {
            await commands.RequireComparisonAsync(upstream.Name, gap.Bin, cancellationToken);
            throw new UpstreamFaultException(
                $"its bin {gap.Bin} does not go back to {gap.After + 1} any more; the bin is compared"
            );
        }

        var page = OfferReading.Read(offer, gap, Told!.Epoch);
        SyncMetrics.Offered(page.Mutations.Count);
        if (await commands.ApplyUpstreamAsync(upstream, page, cancellationToken) is not { } position)
        {
            throw new PositionMovedException();
        }

        lock (_gate)
        {
            // Of a bin, history and news are read at the same time: the later one has applied more.
            _positions[gap.Bin] = position.Applied > _positions[gap.Bin].Applied ? position : _positions[gap.Bin];
            _read[gap.Bin] = Math.Max(_read[gap.Bin], page.Last);
        }

        return page.Last < gap.Until ? gap with { After = page.Last } : null;
    }
}

/// <summary>Somebody else has moved a position that is read from, or a comparison is due: where to go on is asked anew.</summary>
internal sealed class PositionMovedException() : Exception("The position in an upstream's feed was moved meanwhile.");
