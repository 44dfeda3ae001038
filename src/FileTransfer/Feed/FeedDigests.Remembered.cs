using FileTransfer.Identity.Hashing;

namespace FileTransfer.Feed;

/// <summary>What a bin has as of a sequence: all of it, or of the buckets that were asked for.</summary>
/// <param name="Epoch">The history that the sequence is of.</param>
/// <param name="RetainedFrom">The first sequence that is kept.</param>
public sealed record BinSet(short Bin, Guid Epoch, long RetainedFrom, long Sequence, SetDigest Digest);

/// <content>The last sum of each bin, to which is added what came since.</content>
public sealed partial class FeedDigests
{
    private readonly RememberedSet?[] _remembered = new RememberedSet?[FeedPage.Bins];

    /// <summary>The digest of a bin as of a sequence; null where that is not its newest any more.</summary>
    /// <param name="buckets">As for <see cref="ReadAsync"/>.</param>
    public async Task<Hash256?> FindAsync(
        Guid epoch,
        short bin,
        long sequence,
        IReadOnlyCollection<ByteString>? buckets,
        CancellationToken cancellationToken
    )
    {
        var set =
            buckets is null && _remembered[bin]?.Set is { } last && last.Epoch == epoch && last.Sequence == sequence
                ? last
                : (await ReadAsync(bin, buckets, cancellationToken))[0];
        return set.Sequence == sequence ? set.Digest.ToHash() : null;
    }

    /// <summary>Adds what came since to what is remembered.</summary>
    /// <returns>Null where that cannot be done for a bin, or it is time to keep its sum.</returns>
    private async Task<IReadOnlyList<BinSet>?> TryGoOnAsync(short? bin, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT b.bin, b.head, b.retained_from, c.feed_epoch AS epoch, m.file_key, m.kind = 'add' AS is_added, m.was_added
            FROM filetransfer.bins b CROSS JOIN filetransfer.cluster c
            JOIN unnest(@bins::smallint[], @sequences::bigint[]) AS known (bin, sequence) USING (bin)
            LEFT JOIN filetransfer.mutations m
                ON m.bin = b.bin AND m.sequence > known.sequence AND b.head - known.sequence <= @mostBehind
            ORDER BY b.bin
            """;
        var known = _remembered.Where((set, i) => bin is null || i == bin).ToList();
        if (known.Contains(null))
        {
            return null;
        }

        var parameters = new
        {
            bins = known.Select(one => one!.Set.Bin).ToArray(),
            sequences = known.Select(one => one!.Set.Sequence).ToArray(),
            mostBehind,
        };
        var rows = await database.QueryAsync<Since>(sql, parameters, cancellationToken);
        var sets = rows.GroupBy(row => row.Bin).Zip(known, (changes, one) => GoOn(one!, [.. changes])).ToList();
        return sets.Contains(null) ? null : [.. sets.Select(set => set!)];
    }

    /// <param name="rows">One for each change; one without a file where there is none.</param>
    private BinSet? GoOn(RememberedSet known, List<Since> rows)
    {
        var (set, now) = (known.Set, rows[0]);
        var changes = rows.FindAll(row => row.FileKey is not null);
        if (
            now.Epoch != set.Epoch
            || now.Head - known.Kept > mostBehind
            || changes.Count != now.Head - set.Sequence
            || changes.Exists(change => change.WasAdded is null)
        )
        {
            return null;
        }

        var total = changes.Count == 0 ? set.Digest : new SetDigest(set.Digest.ToArray());
        foreach (var change in changes.Where(change => change.IsAdded != change.WasAdded))
        {
            Count(total, change.FileKey!.Value, change.IsAdded!.Value);
        }

        var next = set with { RetainedFrom = now.RetainedFrom, Sequence = now.Head, Digest = total };
        _remembered[set.Bin] = known with { Set = next };
        return next;
    }

    /// <summary>A change that is not in what is remembered of a bin; without a file where there is none.</summary>
    private sealed record Since(
        short Bin,
        long Head,
        long RetainedFrom,
        Guid Epoch,
        FileKey? FileKey,
        bool? IsAdded,
        bool? WasAdded
    );

    /// <param name="Kept">The sequence of what the database keeps.</param>
    private sealed record RememberedSet(BinSet Set, long Kept);
}
