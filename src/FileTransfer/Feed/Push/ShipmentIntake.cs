using FileTransfer.Cluster;
using FileTransfer.Feed.Pull;
using FileTransfer.Feed.Upstreams;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Feed.Push;

/// <summary>
/// At a follower's leader: applies what clusters ship here as what is pulled from them is applied (<see cref="FileCommands"/>). The cluster is
/// an upstream that is called by its id.
/// </summary>
public sealed class ShipmentIntake(
    Database database,
    FileCommands commands,
    UpstreamSummary summary,
    PublishShipped publish,
    IOptions<SyncOptions> sync,
    ThisNode node
) : IDisposable
{
    /// <summary>Shipments in memory at once.</summary>
    private const int MostInMemory = 4;

    private readonly SemaphoreSlim _places = new(MostInMemory);

    /// <summary>Why nothing is taken from a cluster; null where it is accepted.</summary>
    internal IResult? RefusalOf(string? cluster) =>
        cluster is not null && sync.Value.AcceptFrom.Contains(cluster)
            ? null
            : Problem.Of(
                ProblemTypes.ClusterNotAccepted,
                $"This cluster does not accept shipments of '{Problem.Quote(cluster ?? "")}'; name it in {SyncOptions.Section}:AcceptFrom."
            );

    /// <summary>Notes what a cluster says of its feed.</summary>
    /// <returns>How far it was applied until now.</returns>
    /// <exception cref="UpstreamFaultException">Something is wrong with it.</exception>
    public async Task<ShipmentPositions> GreetAsync(ShipmentHandshake greeting, CancellationToken cancellationToken)
    {
        var told = OfferReading.Read(new SyncCursors(greeting.Cluster, greeting.Epoch, greeting.Bins), node.ClusterId);
        var epoch = await UpstreamPositions.EpochAsync(database, told.Cluster, cancellationToken);
        var before = await UpstreamPositions.DigestsAsync(database, told.Cluster, cancellationToken);
        var settled = await commands.SettleUpstreamAsync(told.Cluster, told, cancellationToken);
        await UpstreamPositions.SetUrlsAsync(database, told.Cluster, greeting.Urls, cancellationToken);
        return new ShipmentPositions(
            node.ClusterId,
            epoch,
            [
                .. settled.Select(bin =>
                {
                    var (applied, digest) = before.Count > 0 ? before[bin.Bin] : (0, new SetDigest().ToHash());
                    return new ShipmentPosition(bin.Bin, applied, digest.ToString(), bin.CompareDue);
                }),
            ],
            greeting.Stopping ? (await summary.LackingAsync(cancellationToken)).GetValueOrDefault(told.Cluster) : null
        );
    }

    /// <summary>Applies a shipment. When it returns, that is committed, and the contents that came along are durable.</summary>
    /// <exception cref="UpstreamFaultException">Something is wrong with it; nothing of it was taken.</exception>
    /// <exception cref="OutOfOrderException">It does not follow what is applied; nothing of it was taken.</exception>
    public async Task<ShipmentPosition> TakeAsync(Shipment shipment, Stream body, CancellationToken cancellationToken)
    {
        var upstream = new UpstreamOptions { Name = shipment.Cluster };
        foreach (var bucket in shipment.Buckets ?? [])
        {
            upstream.Buckets.Add(bucket);
        }

        var bin = (short)(shipment.Page?.Bin ?? shipment.Ranges?.Bin ?? shipment.Files?.Bin ?? -1);
        var kinds = new object?[] { shipment.Page, shipment.Ranges, shipment.Files }.Count(kind => kind is not null);
        if (kinds != 1 || bin is < 0 or >= FeedPage.Bins)
        {
            throw new UpstreamFaultException("it is neither mutations, nor parts, nor files of a bin");
        }

        var position = await FindAsync(upstream.Name, bin, cancellationToken);
        IReadOnlyList<string>? differing = null;
        if (shipment.Page is { } offer)
        {
            var page = OfferReading.Read(offer, new FeedGap(bin, offer.From - 1, long.MaxValue), offer.Epoch);
            Require(page.After == position.Sealed && !position.CompareDue);
            await ApplyAsync(upstream, page, body, cancellationToken);
        }
        else if (shipment.Ranges is { } ranges)
        {
            differing = await FindDifferingAsync(upstream.Name, ranges, cancellationToken);
        }
        else
        {
            Require(position.CompareDue);
            await CompareAsync(upstream, shipment, shipment.Files!, cancellationToken);
        }

        var now = await FindAsync(upstream.Name, bin, cancellationToken);
        return new ShipmentPosition(bin, now.Sealed, now.Digest.ToString(), now.CompareDue, differing);
    }

    public void Dispose() => _places.Dispose();

    private async Task ApplyAsync(UpstreamOptions upstream, FeedPage page, Stream body, CancellationToken cancellationToken)
    {
        using var place = await _places.EnterAsync(cancellationToken);
        var contents = new List<ShippedContent>();
        try
        {
            await ShipmentBody.ReadContentsAsync(body, page, contents, cancellationToken);
            if (contents.Count > 0)
            {
                await publish(upstream, page, contents, cancellationToken);
            }
            else
            {
                Require(await commands.ApplyUpstreamAsync(upstream, page, cancellationToken) is not null);
            }
        }
        finally
        {
            contents.ForEach(content => content.Bytes.Dispose());
        }
    }

    /// <summary>
    /// The parts of a bin in which the cluster has other files than are known of it here; all of the bin, where these are many. Where there are
    /// none, the bin is compared by that.
    /// </summary>
    private async Task<IReadOnlyList<string>> FindDifferingAsync(
        string upstream,
        SyncRanges told,
        CancellationToken cancellationToken
    )
    {
        var (all, at) = (
            KeyPrefix.OfBin(told.Bin),
            new ComparedBin(told.Epoch, (short)told.Bin, told.Cursor, commands.LeaderEpoch)
        );
        var theirs = OfferReading.Read(told, all);
        await commands.RequireComparisonAsync(upstream, at.Bin, cancellationToken);
        var ours = await UpstreamFiles.RangesAsync(database, upstream, all, cancellationToken);
        List<string> differing = [.. ours.Except(theirs).Concat(theirs.Except(ours)).Select(part => part.Prefix).Distinct()];
        if (differing.Count == 0)
        {
            // Nothing but what was counted can have been wrong.
            await commands.CountAgainAsync(upstream, at.Bin, cancellationToken);
            await commands.EndComparisonAsync(upstream, at, cancellationToken);
        }

        return 2 * differing.Count > theirs.Count ? [all.Digits] : differing;
    }

    /// <summary>Compares what a page of files is of a bin: from the key that it follows to its last one.</summary>
    private async Task CompareAsync(
        UpstreamOptions upstream,
        Shipment shipment,
        SyncFiles page,
        CancellationToken cancellationToken
    )
    {
        var at = new ComparedBin(page.Epoch, (short)page.Bin, page.Cursor, commands.LeaderEpoch);
        var part = shipment.Prefix is not { } prefix
            ? KeyPrefix.OfBin(page.Bin)
            : KeyPrefix.Parse(prefix, page.Bin) ?? throw new UpstreamFaultException($"'{prefix}' is no part of bin {page.Bin}");
        FileKey? after =
            shipment.After is not { } follows ? null
            : FileKey.TryParse(follows, out var key) ? key
            : throw new UpstreamFaultException($"its files follow '{follows}', which is no key");
        var files = OfferReading.Read(page, part, after);
        var last = page.Next is null ? part.Last : files[^1].Key.ToArray();
        var compared = new ComparedPart(after?.ToArray() ?? part.Before, last, files);
        Require(await commands.CompareUpstreamAsync(upstream, at, compared, cancellationToken) is not null);
        if (shipment.IsLast)
        {
            await commands.EndComparisonAsync(upstream.Name, at, cancellationToken);
        }
    }

    private async Task<AppliedBin> FindAsync(string upstream, short bin, CancellationToken cancellationToken) =>
        await UpstreamPositions.FindAsync(database, upstream, bin, cancellationToken) ?? throw new OutOfOrderException();

    private static void Require(bool isNext)
    {
        if (!isNext)
        {
            throw new OutOfOrderException();
        }
    }
}
