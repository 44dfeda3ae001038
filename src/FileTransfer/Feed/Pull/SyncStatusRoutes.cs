using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>How far this cluster is with those that it pulls from; its leader knows.</summary>
public static class SyncStatusRoutes
{
    public static void MapSyncStatus(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.SyncStatus, StatusAsync)
            .AtTheLeaderOnly()
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Sync")
            .WithSummary("How far this cluster is with each of its upstreams, and with those that ship here")
            .Produces<SyncStatusResource>()
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);

    private static async Task<IResult> StatusAsync(
        UpstreamPuller puller,
        UpstreamSummary summary,
        UpstreamAddresses addresses,
        IOptions<SyncOptions> options,
        ThisNode node,
        CancellationToken cancellationToken
    )
    {
        var counts = await summary.ReadAsync(cancellationToken);
        var upstreams = puller.Upstreams.Select(upstream =>
            ResourceOf(upstream, counts.GetValueOrDefault(upstream.Options.Name))
        );
        var shippers = (await addresses.OfAsync(options.Value.AcceptFrom, cancellationToken)).Select(shipper =>
            ResourceOf(shipper.Name, shipper.Url, counts.GetValueOrDefault(shipper.Name))
        );
        return TypedResults.Json(
            new SyncStatusResource(node.ClusterId, [.. upstreams], [.. shippers]),
            WireJson.Default.SyncStatusResource
        );
    }

    private static ShipperResource ResourceOf(string cluster, string urls, UpstreamCounts? counts) =>
        new(
            cluster,
            [.. urls.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(url => new Uri(url))],
            counts?.Epoch,
            counts?.Files ?? 0,
            counts?.Lacking ?? 0,
            counts?.Kept ?? 0,
            [.. (counts?.Bins ?? []).Select(bin => new ShipperBinResource(bin.Bin, bin.Sealed, bin.CompareDue))]
        );

    private static UpstreamResource ResourceOf(Upstream upstream, UpstreamCounts? counts)
    {
        // What was said of another history than the one that is sealed says nothing of what is behind.
        var told = upstream.Told is { } cursors && cursors.Epoch == counts?.Epoch ? cursors : null;
        var bins = (counts?.Bins ?? [])
            .Select(bin => new UpstreamBinResource(
                bin.Bin,
                told?.Heads[bin.Bin],
                bin.Sealed,
                bin.GapUntil,
                told is null ? null : Math.Max(0, told.Heads[bin.Bin] - bin.Applied),
                bin.CompareDue,
                upstream.Differing.Contains(bin.Bin),
                upstream.Standing.GetValueOrDefault(bin.Bin)?.Reason,
                upstream.Standing.GetValueOrDefault(bin.Bin)?.Since
            ))
            .ToList();
        var standing = bins.Find(bin => bin.LastError is not null);
        return new UpstreamResource(
            upstream.Options.Name,
            upstream.Client.Url,
            counts?.Cluster,
            counts?.Epoch,
            upstream.IsInStep && bins.All(bin => bin is { Behind: 0, Comparing: false }),
            counts?.Files ?? 0,
            counts?.Lacking ?? 0,
            counts?.Kept ?? 0,
            upstream.Fault?.Reason ?? standing?.LastError,
            upstream.Fault?.Since ?? standing?.FailingSince,
            upstream.Found is { } found ? UpstreamRoutes.ResourceOf(found) : null,
            bins
        );
    }
}
