using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>What a comparison found.</summary>
/// <param name="Missing">How many files this cluster did not know of; they are wanted now.</param>
/// <param name="Extra">How many it has that the upstream does not have any more; they are kept.</param>
/// <param name="Keys">Some of the former.</param>
public sealed record ComparisonFinding(DateTimeOffset At, int Missing, int Extra, IReadOnlyList<FileKey> Keys);

/// <summary>Compares what this cluster has of upstreams with what they have; the leader does.</summary>
public sealed partial class UpstreamComparison(
    FileCommands commands,
    Database database,
    TimeProvider time,
    ILogger<UpstreamComparison> logger
)
{
    private const int MostNamed = 100;

    /// <summary>A bin whose feed cannot be read from where this cluster is: it is compared, and sealed up to where it was when that began.</summary>
    public async Task ReplaceFeedAsync(
        UpstreamOptions upstream,
        UpstreamClient client,
        short bin,
        CancellationToken cancellationToken
    )
    {
        var compared = await RunAsync(upstream, client, bin, ComparisonDepth.Differences, cancellationToken);
        Log.Compared(logger, upstream.Name, bin, compared.Missing.Count, compared.Extra.Count);
        await commands.EndComparisonAsync(upstream.Name, compared.Begun!, cancellationToken);
    }

    /// <summary>Finds in what files bins differ, beside their feed, which goes on.</summary>
    public async Task<ComparisonFinding> FindAsync(
        Upstream upstream,
        IEnumerable<int> bins,
        ComparisonDepth depth,
        CancellationToken cancellationToken
    )
    {
        var (missing, extra, keys) = (0, 0, new List<FileKey>());
        foreach (var bin in bins)
        {
            var compared = await RunAsync(upstream.Options, upstream.Client, (short)bin, depth, cancellationToken);
            Log.Compared(logger, upstream.Options.Name, bin, compared.Missing.Count, compared.Extra.Count);
            keys.AddRange(compared.Missing.Take(MostNamed - keys.Count));
            (missing, extra) = (missing + compared.Missing.Count, extra + compared.Extra.Count);
            if (compared is { Missing.Count: 0, Extra.Count: 0 })
            {
                // Nothing but what was counted can be wrong here.
                await commands.CountAgainAsync(upstream.Options.Name, (short)bin, cancellationToken);
            }
        }

        return upstream.Found = new ComparisonFinding(time.GetUtcNow(), missing, extra, keys);
    }

    private async Task<BinComparison> RunAsync(
        UpstreamOptions upstream,
        UpstreamClient client,
        short bin,
        ComparisonDepth depth,
        CancellationToken cancellationToken
    )
    {
        var comparison = new BinComparison(commands, database, upstream, client, bin, depth, cancellationToken);
        await comparison.RunAsync();
        return comparison;
    }

    private static partial class Log
    {
        [LoggerMessage(
            1733,
            LogLevel.Information,
            "Compared with upstream {Upstream}, bin {Bin}: {Missing} files were missing here and are wanted now; {Extra} are kept that it does not have"
        )]
        public static partial void Compared(ILogger logger, string upstream, int bin, int missing, int extra);
    }
}
