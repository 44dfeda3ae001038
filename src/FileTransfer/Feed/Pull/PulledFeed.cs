using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>
/// The feed of a cluster with another database, as it is read over HTTP. What was there when the reading began is its history, whose gaps are
/// closed from the first on; what is told of later are news, and read beside it.
/// </summary>
internal sealed class PulledFeed(Upstream upstream, FileCommands commands, string here, TimeProvider time)
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

    /// <summary>The newest sequence of each bin that was applied.</summary>
    public IReadOnlyList<long> Newest => [.. _positions.Select(bin => bin.Newest)];

    /// <summary>Bins that are to be compared before anything of them is read, and do not stand still.</summary>
    public IReadOnlyList<short> DueForComparison =>
        [.. _positions.Where(bin => bin.CompareDue && !upstream.Standing.ContainsKey(bin.Bin)).Select(bin => bin.Bin)];

    public IReadOnlyList<FeedGap> News => [.. Going.Select(NewsOf).OfType<FeedGap>()];

    /// <summary>The first gap of each bin's history.</summary>
    public IReadOnlyList<FeedGap> Gaps => [.. Going.Select(HistoryOf).OfType<FeedGap>()];

    private IEnumerable<short> Going =>
        _positions.Where(bin => !bin.CompareDue && !upstream.Standing.ContainsKey(bin.Bin)).Select(bin => bin.Bin);

    public bool IsDueForComparison(short bin) => _positions[bin].CompareDue;

    /// <summary>What is to be read of a bin next, news first; null where nothing is.</summary>
    public FeedGap? NextOf(short bin) => NewsOf(bin) ?? HistoryOf(bin);

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

        if (upstream.Options.Buckets.Count > 0)
        {
            asked.Add($"buckets={string.Join(',', upstream.Options.Buckets)}");
        }

        var begun = time.GetTimestamp();
        var answer = await upstream.Client.GetAsync(
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
            _positions = [.. await commands.SettleUpstreamAsync(upstream.Options.Name, told, cancellationToken)];
            _read = [.. _positions.Select(bin => HistoryEndOf(bin, told.Heads[bin.Bin]))];
        }

        Told = told;
    }

    /// <summary>Where some of a bin was read before, the last of what came since is news.</summary>
    private static long HistoryEndOf(UpstreamPosition bin, long head) =>
        bin.Applied == 0 ? head : Math.Max(bin.Newest, head - NewsAtFirst);

    /// <summary>Reads and applies the first part of a gap.</summary>
    /// <returns>What is left of it; null where nothing is.</returns>
    /// <exception cref="PositionMovedException">Somebody else has read it, or the upstream does not go back that far and the bin is compared.</exception>
    public async Task<FeedGap?> ReadAsync(FeedGap gap, CancellationToken cancellationToken)
    {
        var path = $"{Routes.Of(Routes.Bin, gap.Bin)}?from={gap.After + 1}&to={gap.Until}";
        var offer = await upstream.Client.GetAsync(path, TimeSpan.Zero, WireJson.Default.SyncPage, cancellationToken);
        if (offer is null)
        {
            await commands.RequireComparisonAsync(upstream.Options.Name, gap.Bin, cancellationToken);
            throw new PositionMovedException();
        }

        var page = OfferReading.Read(offer, gap, Told!.Epoch);
        SyncMetrics.Offered(page.Mutations.Count);
        if (await commands.ApplyUpstreamAsync(upstream.Options, page, cancellationToken) is not { } position)
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

    private FeedGap? NewsOf(short bin)
    {
        lock (_gate)
        {
            return GapOf(bin, _read[bin], Told!.Heads[bin]);
        }
    }

    private FeedGap? HistoryOf(short bin)
    {
        lock (_gate)
        {
            return GapOf(bin, _positions[bin].Sealed, _positions[bin].GapUntil ?? _read[bin]);
        }
    }

    private static FeedGap? GapOf(short bin, long after, long until) => after < until ? new FeedGap(bin, after, until) : null;
}

/// <summary>Somebody else has moved a position that is read from, or a comparison is due: where to go on is asked anew.</summary>
internal sealed class PositionMovedException() : Exception("The position in an upstream's feed was moved meanwhile.");
