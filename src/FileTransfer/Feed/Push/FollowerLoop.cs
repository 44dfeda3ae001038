using FileTransfer.Cluster;
using FileTransfer.Feed.Pull;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Push;

/// <summary>Ships to one follower, in a loop of its own with a back-off of its own: how slow or dead it is, the others do not notice.</summary>
/// <param name="acknowledged">Something is to be saved.</param>
internal sealed partial class FollowerLoop(
    Follower follower,
    ShippedFeed feed,
    ThisNode node,
    Action acknowledged,
    Worker worker,
    TimeProvider time,
    ILogger logger
) : IDisposable
{
    /// <summary>Bins of one follower that are shipped at the same time; one while it is at fault.</summary>
    private const int BinsAtOnce = 4;

    /// <summary>Bytes per second that a follower takes at least; one that is slower is tried again.</summary>
    private const double LeastRate = 16 * 1024;

    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    /// <summary>After so long without news the follower's files are compared with those here.</summary>
    private static readonly TimeSpan _quiet = TimeSpan.FromSeconds(1);

    /// <summary>For so long a leader that stops waits for a follower that fetches from it and does not come to have more.</summary>
    private static readonly TimeSpan _fetchPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _fetchPeriod = TimeSpan.FromMilliseconds(200);

    private readonly Backoff _backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));
    private readonly UpstreamClient _client = new(
        new UpstreamOptions
        {
            Name = follower.Row.Name,
            Url = follower.Row.Url,
            Token = follower.Row.Token,
        },
        time,
        node
    );
    private List<int> _differing = [];
    private volatile bool _isFetchedFrom;
    private readonly string[] _buckets = [.. (follower.Buckets ?? []).Select(bucket => bucket.ToString())];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (true)
        {
            try
            {
                var heads = feed.Heads;
                await worker.RunAsync(
                    () => ShipAsync(heads, failures > 0 ? 1 : BinsAtOnce, cancellationToken),
                    cancellationToken
                );
                if (failures > 0)
                {
                    Log.Works(logger, follower.Row.Name, follower.Row.Url);
                }

                (failures, follower.Fault) = (0, null);
                acknowledged();
                if (!follower.Due(heads).Any())
                {
                    await RestAsync(heads, cancellationToken);
                }
            }
            catch (UpstreamFaultException e)
            {
                follower.Greeted = null;
                if (follower.Fault?.Reason != e.Message)
                {
                    Log.Fault(logger, follower.Row.Name, follower.Row.Url, e.Message);
                    follower.Fault = (follower.Fault ?? ShippingFault.Begin("", time)) with { Reason = e.Message };
                }

                await Task.Delay(_backoff.Bound(failures++), time, cancellationToken);
            }
            catch (Exception e) when (ClusterMembership.IsPassing(e) && !cancellationToken.IsCancellationRequested)
            {
                // Of this cluster's database, not of the follower.
                follower.Greeted = null;
                await Task.Delay(_pause, time, cancellationToken);
            }
        }
    }

    /// <summary>Waits until the follower has fetched what did not fit in shipments, while that becomes less.</summary>
    public async Task AwaitFetchesAsync(CancellationToken cancellationToken)
    {
        var (least, since) = (long.MaxValue, time.GetTimestamp());
        while (_isFetchedFrom && follower is { Row.Paused: false, Fault: null } && time.GetElapsedTime(since) < _fetchPatience)
        {
            var cursors = await feed.CursorsAsync(follower.Buckets, feed.Heads, cancellationToken);
            var lacking = (await AskAsync(cursors, isStopping: true, cancellationToken)).Lacking ?? 0;
            if (lacking == 0)
            {
                return;
            }

            (least, since) = lacking < least ? (lacking, time.GetTimestamp()) : (least, since);
            await Task.Delay(_fetchPeriod, time, cancellationToken);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task ShipAsync(FeedHeads heads, int atOnce, CancellationToken cancellationToken)
    {
        if (follower.Greeted != heads.Epoch)
        {
            await GreetAsync(heads, cancellationToken);
        }

        var parallel = new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            follower.Due(heads),
            parallel,
            async (bin, token) =>
                await (follower.Bins[bin].RebuildDue ? RebuildAsync(bin, token) : CatchUpAsync(bin, heads, token))
        );
    }

    /// <summary>Waits for news. Where none come soon, it is looked once whether the follower has just the files that are here.</summary>
    private async Task RestAsync(FeedHeads heads, CancellationToken cancellationToken)
    {
        await heads.Next.WaitAsync(_quiet, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (heads.Next.IsCompleted)
        {
            return;
        }

        var cursors = await feed.CursorsAsync(follower.Buckets, heads, cancellationToken);
        var differing = follower.DifferingFrom(cursors).ToList();
        if (differing.Count > 0 && !differing.SequenceEqual(_differing))
        {
            // Once: what differs after all files were told is for a person to look at.
            _differing = differing;
            Log.Differs(logger, follower.Row.Name, follower.Row.Url, string.Join(", ", differing));
            differing.ForEach(follower.RequireRebuild);
            return;
        }

        _differing = differing;
        await heads.Next.WaitAsync(cancellationToken);
    }

    private async Task GreetAsync(FeedHeads heads, CancellationToken cancellationToken)
    {
        var cursors = await feed.CursorsAsync(follower.Buckets, heads, cancellationToken);
        var answer = await AskAsync(cursors, isStopping: false, cancellationToken);
        if (NodeId.FromText(answer.Cluster) is null || answer.Bins is not { Count: FeedPage.Bins } bins)
        {
            throw new UpstreamFaultException("it does not say how far it is");
        }

        await feed.KnowAsync(follower, answer.Cluster, cancellationToken);
        foreach (var (bin, here) in cursors.Bins.Index())
        {
            var step = ShippingSteps.Decide(cursors.Epoch, here, answer.Epoch, bins[bin], follower.Bins[bin].RebuildDue);
            if (step is ShippingStep.Rebuild or ShippingStep.Ahead)
            {
                Log.Rebuild(logger, follower.Row.Name, follower.Row.Url, bin, bins[bin].Applied, here.Head);
            }

            follower.Set(
                cursors.Epoch,
                (short)bin,
                new FollowerBin(
                    answer.Epoch == cursors.Epoch || answer.Epoch is null ? bins[bin].Applied : 0,
                    bins[bin].Digest,
                    step is ShippingStep.Rebuild or ShippingStep.Ahead,
                    step == ShippingStep.Ahead
                )
            );
        }

        follower.Greeted = cursors.Epoch;
        acknowledged();
    }

    private async Task<ShipmentPositions> AskAsync(OfferedCursors cursors, bool isStopping, CancellationToken cancellationToken)
    {
        var told = OfferWriting.Of(cursors, node.ClusterId);
        var greeting = new ShipmentHandshake(told.Cluster, told.Epoch, [node.Url], told.Bins, isStopping);
        using var body = JsonContent.Create(greeting, WireJson.Default.ShipmentHandshake);
        return await _client.PostAsync(
            Routes.Handshake,
            body,
            TimeSpan.Zero,
            WireJson.Default.ShipmentPositions,
            cancellationToken
        );
    }

    private async Task CatchUpAsync(short bin, FeedHeads heads, CancellationToken cancellationToken)
    {
        for (var after = follower.Bins[bin].Acknowledged; after < heads.Sequences[bin] && !follower.Bins[bin].RebuildDue; )
        {
            if (await feed.ReadAsync(bin, after, heads, cancellationToken) is not { Page: var page } offered)
            {
                follower.RequireRebuild(bin);
                return;
            }

            using var trace = FeedTraces.Ship(page);
            var shipment = new Shipment(node.ClusterId, _buckets, OfferWriting.Of(offered, after + 1));
            var answer = await ShipAsync(shipment, ShippedFeed.AddsOf(page, follower), cancellationToken);
            if (answer.Bin != bin || answer.Applied != page.Last)
            {
                throw new UpstreamFaultException(
                    $"it was shipped bin {bin} up to {page.Last}, and acknowledges bin {answer.Bin} up to {answer.Applied}"
                );
            }

            after = answer.Applied;
            follower.Acknowledge(bin, answer);
            acknowledged();
        }
    }

    /// <summary>
    /// Where the follower has no room for contents, it is told of their files without them, and fetches them when it has, as it does larger
    /// ones: what follows, and a removal may make the room, does not wait.
    /// </summary>
    private async Task<ShipmentPosition> ShipAsync(
        Shipment shipment,
        IReadOnlyList<ShippedAdd> adds,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await SendAsync(shipment, adds, cancellationToken);
        }
        catch (UpstreamFaultException full) when (full.HasNoRoom && adds.Any(add => add.Travels))
        {
            Log.NoRoom(logger, follower.Row.Name, follower.Row.Url, full.Message);
            _isFetchedFrom = true;
            return await SendAsync(shipment, [.. adds.Select(add => add with { Travels = false })], cancellationToken);
        }
    }

    private async Task<ShipmentPosition> SendAsync(
        Shipment shipment,
        IReadOnlyList<ShippedAdd> adds,
        CancellationToken cancellationToken
    )
    {
        using var body = new ShipmentContent(
            shipment,
            (stream, token) => feed.WriteAsync(adds, follower.Row.Name, stream, token)
        );
        _isFetchedFrom |= shipment.Files is not null || adds.Any(add => add.Size > ShipmentBody.MostBytes);
        var bytes = adds.Where(add => add.Travels).Sum(add => add.Size);
        return await _client.PostAsync(
            Routes.Shipments,
            body,
            TimeSpan.FromSeconds(bytes / LeastRate),
            WireJson.Default.ShipmentPosition,
            cancellationToken
        );
    }

    private static partial class Log
    {
        [LoggerMessage(1740, LogLevel.Warning, "Follower {Follower} at {Url} cannot be shipped to; retrying: {Reason}")]
        public static partial void Fault(ILogger logger, string follower, string url, string reason);

        [LoggerMessage(1741, LogLevel.Information, "Follower {Follower} at {Url} can be shipped to again")]
        public static partial void Works(ILogger logger, string follower, string url);

        [LoggerMessage(
            1745,
            LogLevel.Warning,
            "Follower {Follower} at {Url} has no room for contents that were shipped; it is told of their files, and fetches them when it has: {Reason}"
        )]
        public static partial void NoRoom(ILogger logger, string follower, string url, string reason);

        [LoggerMessage(
            1743,
            LogLevel.Error,
            "Follower {Follower} at {Url} has other files than this cluster, in bins {Bins}, though it has applied all of its feed; it is told all files"
        )]
        public static partial void Differs(ILogger logger, string follower, string url, string bins);

        [LoggerMessage(
            1742,
            LogLevel.Warning,
            "Follower {Follower} at {Url} is told all files of bin {Bin}: it is at {Applied}, and the bin at {Head}"
        )]
        public static partial void Rebuild(ILogger logger, string follower, string url, int bin, long applied, long head);
    }
}
