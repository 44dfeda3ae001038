using FileTransfer.Catalog;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Cluster;

namespace FileTransfer.Feed.Pull;

/// <summary>This cluster's feed as other clusters read it: with all that they need to know of each mutation.</summary>
public sealed class OfferedFeed(Database database, FeedDigests digests, FeedHistory history, ThisNode node)
{
    /// <summary>Mutations of an answer at most.</summary>
    public const int LargestPage = 1000;

    private readonly SharedWork<(short Bin, long From, long To, int Limit, string Buckets, Task News), OfferedPage> _pages =
        new();
    private readonly SharedWork<(Task News, string Buckets), OfferedCursors> _cursors = new();

    /// <param name="news">What is asked for before a piece of news is not answered with what was read after it, nor the other way round.</param>
    /// <param name="buckets">Whose files the digests are of; null = of all.</param>
    public Task<OfferedCursors> CursorsAsync(
        IReadOnlyCollection<ByteString>? buckets,
        Task news,
        CancellationToken cancellationToken
    ) => _cursors.RunAsync((news, TextOf(buckets)), () => ReadCursorsAsync(buckets), cancellationToken);

    /// <summary>The mutations of a bin between two sequences, both included, as far as a page goes. Asked for by many at once, they are read once.</summary>
    /// <param name="buckets">As for <see cref="CursorsAsync"/>, where the page goes to the bin's end; it has the mutations of all.</param>
    /// <param name="news">As for <see cref="CursorsAsync"/>.</param>
    public Task<OfferedPage> ReadAsync(
        short bin,
        long from,
        long to,
        int limit,
        IReadOnlyCollection<ByteString>? buckets,
        Task news,
        CancellationToken cancellationToken
    ) =>
        _pages.RunAsync(
            (bin, from, to, limit, TextOf(buckets), news),
            () => ReadPageAsync(bin, from, to, limit, buckets),
            cancellationToken
        );

    private static string TextOf(IReadOnlyCollection<ByteString>? buckets) => string.Join(',', buckets ?? []);

    private async Task<OfferedCursors> ReadCursorsAsync(IReadOnlyCollection<ByteString>? buckets)
    {
        var sets = await digests.ReadAsync(null, buckets, CancellationToken.None);
        return new OfferedCursors(
            sets[0].Epoch,
            [.. sets.Select(set => new OfferedBin(set.Bin, set.Sequence, set.RetainedFrom, set.Digest.ToHash()))]
        );
    }

    private async Task<OfferedPage> ReadPageAsync(
        short bin,
        long from,
        long to,
        int limit,
        IReadOnlyCollection<ByteString>? buckets
    )
    {
        var sql = $"""
            SELECT c.feed_epoch, b.head FROM filetransfer.bins b CROSS JOIN filetransfer.cluster c WHERE b.bin = @bin;
            SELECT * FROM (
                SELECT m.sequence, m.kind, m.appended_at, m.origin_cluster, m.origin_epoch, m.origin_sequence, {FeedTraces.Noted} AS traceparent, {FileRow.Columns},
                    {PageBytes.Before("m.sequence")}
                FROM (
                    SELECT * FROM filetransfer.mutations WHERE bin = @bin AND sequence BETWEEN @from AND @to ORDER BY sequence LIMIT @limit
                ) m
                JOIN filetransfer.files f USING (file_key)
            ) page WHERE bytes_before < {PageBytes.Most}
            ORDER BY sequence;
            SELECT retained_from FROM filetransfer.bins WHERE bin = @bin
            """;
        var parameters = new
        {
            bin,
            from,
            to,
            limit,
            kept = FeedTraces.Kept,
        };
        await using var connection = await database.Pool.OpenConnectionAsync();
        await using var answers = await connection.QueryMultipleAsync(sql, parameters);
        var (epoch, head) = await answers.ReadSingleAsync<(Guid, long)>();
        var rows = await answers.ReadAsync<OfferedRow>();

        // Read last: what was deleted while the rows were read is not a gap.
        var retainedFrom = await answers.ReadSingleAsync<long>();
        var own = new OwnFeed(node.ClusterId, epoch, history);
        var page = new FeedPage(epoch, bin, from - 1, [.. rows.Select(row => row.ToMutation(own))]);
        if (from >= retainedFrom && (page.Mutations.Count > 0 || (from <= head && from <= to)))
        {
            page.RequireDense();
        }

        var digest = page.Last == head ? await digests.FindAsync(epoch, bin, head, buckets, CancellationToken.None) : null;
        return new OfferedPage(page, head, retainedFrom, digest);
    }
}

/// <param name="RetainedFrom">The first sequence that is kept.</param>
public sealed record OfferedBin(int Bin, long Head, long RetainedFrom, Hash256 Digest);

public sealed record OfferedCursors(Guid Epoch, IReadOnlyList<OfferedBin> Bins);

/// <param name="Head">The newest sequence of the bin when the page was read, or a little before.</param>
/// <param name="RetainedFrom">The first sequence that is kept.</param>
/// <param name="Digest">Of the files that the bin has as of the end of the page, where that is the newest sequence.</param>
public sealed record OfferedPage(FeedPage Page, long Head, long RetainedFrom, Hash256? Digest);
