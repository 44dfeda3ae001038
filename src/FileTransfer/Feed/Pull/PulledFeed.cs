using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <param name="Position">Up to where the bin has been applied.</param>
/// <param name="Head">The newest sequence of the bin.</param>
internal sealed record BinGrowth(short Bin, long Position, long Head);

/// <summary>The feed of a cluster with another database, as it is read over HTTP.</summary>
internal sealed class PulledFeed(UpstreamOptions upstream, UpstreamClient client, FileCommands commands, string here)
{
    /// <summary>How long the upstream keeps a question for news while there is none.</summary>
    private static readonly TimeSpan _wait = TimeSpan.FromSeconds(60);

    private bool _hasApplied;

    /// <summary>What the upstream said last; null before that.</summary>
    public UpstreamCursors? Told { get; private set; }

    /// <summary>Where this cluster was in each bin when that was said.</summary>
    public IReadOnlyList<UpstreamPosition> Positions { get; private set; } = [];

    /// <summary>All that was told of is applied: from now on news are waited for.</summary>
    public void Applied() => _hasApplied = true;

    /// <summary>Asks at once the first time and after a fault; else waits for news.</summary>
    public async Task<IReadOnlyList<BinGrowth>> FindGrownAsync(CancellationToken cancellationToken)
    {
        var wait = _hasApplied ? _wait : TimeSpan.Zero;
        List<string> asked = _hasApplied ? [$"after={string.Join(',', Told!.Heads)}", $"wait={wait.TotalSeconds}s"] : [];
        if (upstream.Buckets.Count > 0)
        {
            asked.Add($"buckets={string.Join(',', upstream.Buckets)}");
        }

        _hasApplied = false;
        var answer = await client.GetAsync(
            $"{Routes.Cursors}?{string.Join('&', asked)}",
            wait,
            WireJson.Default.SyncCursors,
            cancellationToken
        );
        var told = OfferReading.Read(answer ?? throw new UpstreamFaultException("it has no cursors"), here);
        Positions = await commands.SettleUpstreamAsync(upstream.Name, told, cancellationToken);
        Told = told;
        return
        [
            .. Positions
                .Where(bin => bin.CompareDue || bin.Sealed < told.Heads[bin.Bin])
                .Select(bin => new BinGrowth(bin.Bin, bin.Sealed, told.Heads[bin.Bin])),
        ];
    }

    public async Task<FeedPage> ReadAsync(short bin, long after, CancellationToken cancellationToken)
    {
        var path = $"{Routes.Of(Routes.Bin, bin)}?from={after + 1}";
        var offer = await client.GetAsync(path, TimeSpan.Zero, WireJson.Default.SyncPage, cancellationToken);
        if (offer is null)
        {
            await commands.RequireComparisonAsync(upstream.Name, bin, cancellationToken);
            throw new UpstreamFaultException($"its bin {bin} does not go back to {after + 1} any more; the bin is compared");
        }

        return OfferReading.Read(offer, bin, after);
    }
}
