using System.Data;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Feed;

/// <summary>
/// The digests of the added files: owner of <c>filetransfer.digested_bins</c> and <c>filetransfer.bucket_digests</c>. They are sums over the
/// feed, so each is true as of one sequence; what was appended since a state was kept is added where somebody asks. The last sum of each bin is
/// remembered: who asks again pays for what came since.
/// </summary>
/// <param name="mostBehind">So many mutations may follow what is kept before it is kept anew.</param>
public sealed partial class FeedDigests(Database database, int mostBehind = 256)
{
    /// <summary>The sets of bins, each as of its newest sequence at one moment.</summary>
    /// <param name="bin">Null = all.</param>
    /// <param name="buckets">Files of these alone; null = of all.</param>
    public async Task<IReadOnlyList<BinSet>> ReadAsync(
        short? bin,
        IReadOnlyCollection<ByteString>? buckets,
        CancellationToken cancellationToken
    ) =>
        buckets is null && await TryGoOnAsync(bin, cancellationToken) is { } sets
            ? sets
            : await ReadKeptAsync(bin, buckets, cancellationToken);

    private async Task<IReadOnlyList<BinSet>> ReadKeptAsync(
        short? bin,
        IReadOnlyCollection<ByteString>? buckets,
        CancellationToken cancellationToken
    )
    {
        const string bins = """
            SELECT b.bin, b.head, b.retained_from, c.feed_epoch AS epoch, d.sequence, d.state
            FROM filetransfer.bins b CROSS JOIN filetransfer.cluster c LEFT JOIN filetransfer.digested_bins d USING (bin)
            WHERE @bin::smallint IS NULL OR b.bin = @bin ORDER BY b.bin
            """;
        const string since = """
            SELECT m.bin, m.file_key, f.bucket, m.kind = 'add' AS is_added, m.was_added
            FROM filetransfer.digested_bins d JOIN filetransfer.mutations m ON m.bin = d.bin AND m.sequence > d.sequence
            JOIN filetransfer.files f USING (file_key)
            WHERE @bin::smallint IS NULL OR d.bin = @bin
            """;
        var sets = new List<BinSet>();
        var due = new List<KeptSet>();
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using (var moment = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken))
        {
            var heads = (await connection.QueryAsync<KeptBin>(bins, new { bin }, cancellationToken)).AsList();
            var changes = (await connection.QueryAsync<Change>(since, new { bin }, cancellationToken)).ToLookup(change =>
                change.Bin
            );
            foreach (var head in heads)
            {
                var isFollowed =
                    head.Sequence is { } kept
                    && changes[head.Bin].Count() == head.Head - kept
                    && changes[head.Bin].All(change => change.WasAdded is not null);
                var sums = isFollowed ? Follow(changes[head.Bin]) : await SumAsync(connection, head.Bin, cancellationToken);
                var total = isFollowed ? new SetDigest(head.State) : new SetDigest();
                foreach (var sum in sums.Values)
                {
                    total.Add(sum);
                }

                var isDue = !isFollowed || head.Head - head.Sequence > mostBehind;
                if (isDue)
                {
                    due.Add(new KeptSet(head, total, sums, isFollowed));
                }

                var set = new BinSet(head.Bin, head.Epoch, head.RetainedFrom, head.Head, total);
                _remembered[head.Bin] = new RememberedSet(set, isDue ? head.Head : head.Sequence!.Value);
                sets.Add(
                    buckets is null
                        ? set
                        : set with
                        {
                            Digest = await OfBucketsAsync(connection, head.Bin, buckets, sums, isFollowed, cancellationToken),
                        }
                );
            }
        }

        foreach (var set in due)
        {
            await KeepAsync(connection, set, cancellationToken);
        }

        return sets;
    }

    /// <summary>What has changed in each bucket.</summary>
    private static Dictionary<ByteString, SetDigest> Follow(IEnumerable<Change> changes)
    {
        var sums = new Dictionary<ByteString, SetDigest>();
        foreach (var change in changes.Where(change => change.IsAdded != change.WasAdded))
        {
            Count(SumOf(sums, change.Bucket), change.FileKey, change.IsAdded);
        }

        return sums;
    }

    /// <summary>What there is in each bucket, from the files themselves.</summary>
    private static async Task<Dictionary<ByteString, SetDigest>> SumAsync(
        NpgsqlConnection connection,
        short bin,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT file_key, bucket FROM filetransfer.files WHERE file_key BETWEEN @first AND @last AND state = 'added'
            """;
        var keys = KeyPrefix.OfBin(bin);
        var sums = new Dictionary<ByteString, SetDigest>();
        foreach (
            var (key, bucket) in await connection.QueryAsync<(FileKey, ByteString)>(
                sql,
                new { keys.First, keys.Last },
                cancellationToken
            )
        )
        {
            SumOf(sums, bucket).Add(key);
        }

        return sums;
    }

    private static async Task<SetDigest> OfBucketsAsync(
        NpgsqlConnection connection,
        short bin,
        IReadOnlyCollection<ByteString> buckets,
        Dictionary<ByteString, SetDigest> sums,
        bool areChanges,
        CancellationToken cancellationToken
    )
    {
        var total = new SetDigest();
        foreach (var state in areChanges ? await StatesAsync(connection, bin, buckets, cancellationToken) : [])
        {
            total.Add(new SetDigest(state.State));
        }

        foreach (var bucket in buckets.Where(sums.ContainsKey))
        {
            total.Add(sums[bucket]);
        }

        return total;
    }

    private static Task<IEnumerable<(ByteString Bucket, byte[] State)>> StatesAsync(
        NpgsqlConnection connection,
        short bin,
        IEnumerable<ByteString> buckets,
        CancellationToken cancellationToken
    ) =>
        connection.QueryAsync<(ByteString, byte[])>(
            "SELECT bucket, state FROM filetransfer.bucket_digests WHERE bin = @bin AND bucket = ANY(@buckets)",
            new { bin, buckets = buckets.Select(bucket => bucket.ToArray()).ToArray() },
            cancellationToken
        );

    /// <summary>Keeps a state where nobody has kept another since: the row of the bin is locked, and looked at once more.</summary>
    private static async Task KeepAsync(NpgsqlConnection connection, KeptSet set, CancellationToken cancellationToken)
    {
        const string move = """
            INSERT INTO filetransfer.digested_bins AS d (bin, sequence, state) VALUES (@bin, @head, @state)
            ON CONFLICT (bin) DO UPDATE SET sequence = EXCLUDED.sequence, state = EXCLUDED.state WHERE d.sequence = @former
            RETURNING true
            """;
        const string forget = "DELETE FROM filetransfer.bucket_digests WHERE bin = @bin";
        const string keep = """
            INSERT INTO filetransfer.bucket_digests (bin, bucket, state)
            SELECT @bin, bucket, state FROM unnest(@buckets::bytea[], @states::bytea[]) AS given (bucket, state)
            ON CONFLICT (bin, bucket) DO UPDATE SET state = EXCLUDED.state
            """;
        var (bin, head, former) = (set.Was.Bin, set.Was.Head, set.Was.Sequence);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var parameters = new
        {
            bin,
            head,
            former,
            state = set.Total.ToArray(),
        };
        if (!await connection.QuerySingleOrDefaultAsync<bool>(move, parameters, cancellationToken))
        {
            return;
        }

        if (set.AreChanges)
        {
            foreach (var (bucket, state) in await StatesAsync(connection, bin, set.Sums.Keys, cancellationToken))
            {
                set.Sums[bucket].Add(new SetDigest(state));
            }
        }
        else
        {
            await connection.ExecuteAsync(forget, parameters, cancellationToken);
        }

        var states = new
        {
            bin,
            buckets = set.Sums.Keys.Select(bucket => bucket.ToArray()).ToArray(),
            states = set.Sums.Values.Select(sum => sum.ToArray()).ToArray(),
        };
        await connection.ExecuteAsync(keep, states, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static void Count(SetDigest sum, FileKey key, bool isAdded)
    {
        if (isAdded)
        {
            sum.Add(key);
        }
        else
        {
            sum.Remove(key);
        }
    }

    private static SetDigest SumOf(Dictionary<ByteString, SetDigest> sums, ByteString bucket) =>
        sums.TryGetValue(bucket, out var sum) ? sum : sums[bucket] = new SetDigest();

    private sealed class KeptBin
    {
        public required short Bin { get; init; }
        public required long Head { get; init; }
        public required long RetainedFrom { get; init; }
        public required Guid Epoch { get; init; }
        public long? Sequence { get; init; }
        public byte[]? State { get; init; }
    }

    private sealed class Change
    {
        public required short Bin { get; init; }
        public required FileKey FileKey { get; init; }
        public required ByteString Bucket { get; init; }
        public required bool IsAdded { get; init; }
        public bool? WasAdded { get; init; }
    }

    /// <param name="AreChanges">The sums are what has changed since; else all there is.</param>
    private sealed record KeptSet(KeptBin Was, SetDigest Total, Dictionary<ByteString, SetDigest> Sums, bool AreChanges);
}
