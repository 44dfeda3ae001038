using FileTransfer.Catalog;
using FileTransfer.Cluster;

namespace FileTransfer.Feed.Changes;

/// <param name="IsGone">What follows the position is not kept any more, or belongs to a history that has ended: list the files.</param>
public sealed record ChangesPage(ChangePosition Position, IReadOnlyList<ChangeResource> Changes, bool IsGone);

/// <summary>The feed, for programs: what was stored in the cluster and removed from it, behind a position that lasts.</summary>
public sealed class FeedChanges(Database database, ThisNode node, TimeProvider time)
{
    private const string Everything =
        "SELECT c.feed_epoch, b.head, b.retained_from FROM filetransfer.bins b CROSS JOIN filetransfer.cluster c ORDER BY b.bin";

    /// <summary>Where the feed ends now.</summary>
    public async Task<ChangePosition> NowAsync(CancellationToken cancellationToken)
    {
        var bins = await BinsAsync(cancellationToken);
        return new ChangePosition(bins[0].Epoch, [.. bins.Select(bin => bin.Head)]);
    }

    /// <summary>What follows a position, as soon as there is something; nothing when <paramref name="wait"/> is over.</summary>
    /// <param name="after">Null = from the oldest that is kept.</param>
    /// <param name="most">So many changes of each bin.</param>
    public async Task<ChangesPage> ReadAsync(
        ChangePosition? after,
        int most,
        TimeSpan wait,
        CancellationToken stopping,
        CancellationToken cancellationToken
    )
    {
        // A hint that is lost costs the rest of the wait.
        var hint = new AsyncAutoResetEvent();
        using var growth = database.Notifications.Subscribe(FeedAppender.Grown, _ => hint.Set());
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
        for (var since = time.GetTimestamp(); ; )
        {
            var page = await ReadAsync(after, most, cancellationToken);
            var left = wait - time.GetElapsedTime(since);
            if (page.IsGone || page.Changes.Count > 0 || left <= TimeSpan.Zero || stopping.IsCancellationRequested)
            {
                return page;
            }

            Task heard = hint.WaitAsync(left, time, ends.Token);
            await heard.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task<ChangesPage> ReadAsync(ChangePosition? after, int most, CancellationToken cancellationToken)
    {
        // Cut at its bytes, a page is as far in each bin as in the others.
        var sql = $"""
            SELECT bin, sequence, kind, file_key, bucket, location, size, appended_at FROM (
            SELECT m.*, f.bucket, f.location, f.size, {PageBytes.Before("m.sequence - known.sequence, m.bin")}
            FROM unnest(@after) WITH ORDINALITY known (sequence, place) CROSS JOIN LATERAL (
                SELECT bin, sequence, kind, file_key, appended_at FROM filetransfer.mutations
                WHERE bin = known.place - 1 AND sequence > known.sequence
                ORDER BY sequence LIMIT @most
            ) m JOIN filetransfer.files f USING (file_key)
            ) page WHERE bytes_before < {PageBytes.Most}
            ORDER BY bin, sequence
            """;
        var bins = await BinsAsync(cancellationToken);
        var start = after ?? new ChangePosition(bins[0].Epoch, [.. bins.Select(bin => bin.RetainedFrom - 1)]);
        if (
            start.Epoch != bins[0].Epoch
            || bins.Zip(start.Sequences).Any(bin => bin.Second < bin.First.RetainedFrom - 1 || bin.Second > bin.First.Head)
        )
        {
            return new ChangesPage(start, [], IsGone: true);
        }

        var rows = await database.QueryAsync<Row>(sql, new { after = start.Sequences.ToArray(), most }, cancellationToken);
        var sequences = start.Sequences.ToArray();
        foreach (var row in rows)
        {
            sequences[row.Bin] = row.Sequence;
        }

        return new ChangesPage(start with { Sequences = sequences }, [.. rows.Select(row => row.Describe())], IsGone: false);
    }

    public ChangesResource Describe(ChangesPage page) => new(node.ClusterId, page.Position.ToString(), page.Changes);

    private Task<IReadOnlyList<(Guid Epoch, long Head, long RetainedFrom)>> BinsAsync(CancellationToken cancellationToken) =>
        database.QueryAsync<(Guid Epoch, long Head, long RetainedFrom)>(Everything, null, cancellationToken);

    private sealed record Row(
        short Bin,
        long Sequence,
        MutationKind Kind,
        FileKey FileKey,
        ByteString Bucket,
        ByteString Location,
        long Size,
        DateTimeOffset AppendedAt
    )
    {
        public ChangeResource Describe() =>
            new(
                Kind == MutationKind.Add ? "stored" : "removed",
                FileKey.ToString(),
                Bucket.ToString(),
                Location.AsUtf8(),
                Size,
                AppendedAt
            );
    }
}
