using FileTransfer.Catalog.Providers;
using FileTransfer.Cluster;

namespace FileTransfer.Feed;

/// <summary>Deletes, at the leader, the beginnings of bins that nobody needs any more, or that are more than is kept for anybody.</summary>
/// <remarks>
/// In steps, each a transaction of the leader, which says in the bin from where it is kept: whoever is behind that compares files instead of
/// reading, and a gap stays a gap. The newest mutation of a bin stays, for folders tell catalogs apart by it. What is added stands in the
/// files, and a digest that was kept before what is deleted is made of them again.
/// </remarks>
public sealed partial class FeedCompactor(
    Database database,
    Leadership leadership,
    ClusterMembership membership,
    IOptions<FeedOptions> options,
    WorkerRegistry workers,
    TimeProvider time,
    ILogger<FeedCompactor> logger
) : BackgroundService
{
    private const int AtOnce = 1000;
    private static readonly TimeSpan _longestPeriod = TimeSpan.FromMinutes(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        membership.RunWhileJoinedAsync(CompactAsync, stoppingToken);

    private async Task CompactAsync(CancellationToken cancellationToken)
    {
        var retention = options.Value.Retention;
        var worker = workers.Add(
            "feed-compaction",
            "deletes mutations of the feed that nobody needs any more, at the leader",
            retention < _longestPeriod ? retention : _longestPeriod
        );
        while (true)
        {
            await Task.Delay(worker.Pace!.Value, time, cancellationToken);
            try
            {
                if (await worker.RunAsync(() => CompactDueAsync(cancellationToken), cancellationToken) is > 0 and var count)
                {
                    Log.Compacted(logger, count);
                }
            }
            catch (NotLeadingException)
            {
                // Whoever leads now does it.
            }
        }
    }

    private async Task<long> CompactDueAsync(CancellationToken cancellationToken)
    {
        var count = 0L;
        while (leadership.IsLeading && await FindDueAsync(cancellationToken) is { Count: > 0 } due)
        {
            foreach (var bin in due)
            {
                count += await CompactAsync(bin, cancellationToken);
            }
        }

        return count;
    }

    /// <summary>Bins whose oldest mutations may go, and up to which one in the next step.</summary>
    private Task<IReadOnlyList<DueBin>> FindDueAsync(CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT b.bin, due.up_to
            FROM filetransfer.bins b CROSS JOIN LATERAL (
                SELECT coalesce(min(coalesce(p.sequence, 0)), b.head) AS read
                FROM filetransfer.nodes n LEFT JOIN filetransfer.feed_positions p ON p.node_id = n.node_id AND p.bin = b.bin
                WHERE n.seen_at > now() - @retention OR {NodeLiveness.IsHeardOf}
            ) nodes CROSS JOIN LATERAL (
                -- One that is behind its budget is compared, and needs nothing of the feed.
                SELECT coalesce(min(p.acknowledged), b.head) AS acknowledged
                FROM filetransfer.follower_bins p WHERE p.bin = b.bin AND NOT p.rebuild_due
            ) followers CROSS JOIN LATERAL (
                SELECT max(oldest.sequence) AS up_to
                FROM (
                    SELECT m.sequence, m.appended_at FROM filetransfer.mutations m
                    WHERE m.bin = b.bin AND m.sequence >= b.retained_from AND m.sequence < b.head
                    ORDER BY m.sequence LIMIT @atOnce
                ) oldest
                WHERE oldest.sequence <= b.head - @mostEntries
                   OR (oldest.sequence <= least(nodes.read, followers.acknowledged) AND oldest.appended_at < now() - @retention)
            ) due
            WHERE due.up_to IS NOT NULL ORDER BY b.bin
            """;
        var parameters = new
        {
            retention = options.Value.Retention,
            mostEntries = options.Value.MostEntries,
            atOnce = AtOnce,
        };
        return database.QueryAsync<DueBin>(sql, parameters, cancellationToken);
    }

    private async Task<int> CompactAsync(DueBin due, CancellationToken cancellationToken)
    {
        // The bin last: whoever appends to it waits no longer than for the commit.
        const string delete = "DELETE FROM filetransfer.mutations WHERE bin = @bin AND sequence <= @upTo";
        const string note = "UPDATE filetransfer.bins SET retained_from = @upTo + 1 WHERE bin = @bin";
        await using var transaction = await leadership.BeginAsync(cancellationToken);
        var deleted = await transaction.Connection.ExecuteAsync(delete, due, cancellationToken);
        await transaction.Connection.ExecuteAsync(note, due, cancellationToken);
        await transaction.CommitAsync();
        return deleted;
    }

    private sealed record DueBin(short Bin, long UpTo);

    private static partial class Log
    {
        [LoggerMessage(
            1725,
            LogLevel.Information,
            "Compacted the feed: {Count} mutations were deleted that are not kept any more"
        )]
        public static partial void Compacted(ILogger logger, long count);
    }
}
