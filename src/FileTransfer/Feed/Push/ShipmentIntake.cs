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
            ]
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

        var bin = (short)(shipment.Page?.Bin ?? shipment.Files?.Bin ?? -1);
        if (shipment is { Page: null } == shipment is { Files: null } || bin is < 0 or >= FeedPage.Bins)
        {
            throw new UpstreamFaultException("it is neither mutations nor files of a bin");
        }

        var position = await FindAsync(upstream.Name, bin, cancellationToken);
        if (shipment.Page is { } offer)
        {
            var page = OfferReading.Read(offer, new FeedGap(bin, offer.From - 1, long.MaxValue), offer.Epoch);
            Require(page.After == position.Sealed && !position.CompareDue);
            await ApplyAsync(upstream, page, body, cancellationToken);
        }
        else
        {
            Require(shipment.After is null || position.CompareDue);
            await CompareAsync(upstream, shipment.Files!, shipment.After, cancellationToken);
        }

        var now = await FindAsync(upstream.Name, bin, cancellationToken);
        return new ShipmentPosition(bin, now.Sealed, now.Digest.ToString(), now.CompareDue);
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

    /// <summary>Compares the part of a bin that a page of its files is: from the key that it follows to its last one.</summary>
    private async Task CompareAsync(
        UpstreamOptions upstream,
        SyncFiles page,
        string? follows,
        CancellationToken cancellationToken
    )
    {
        var (all, at) = (KeyPrefix.OfBin(page.Bin), new ComparedBin(page.Epoch, (short)page.Bin, page.Cursor));
        FileKey? after =
            follows is null ? null
            : FileKey.TryParse(follows, out var key) ? key
            : throw new UpstreamFaultException($"its files follow '{follows}', which is no key");
        var files = OfferReading.Read(page, all, after);
        if (after is null)
        {
            await commands.RequireComparisonAsync(upstream.Name, at.Bin, cancellationToken);
        }

        var last = page.Next is null ? all.Last : files[^1].Key.ToArray();
        var part = new ComparedPart(after?.ToArray() ?? all.Before, last, files);
        Require(await commands.CompareUpstreamAsync(upstream, at, part, cancellationToken) is not null);
        if (page.Next is null)
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
