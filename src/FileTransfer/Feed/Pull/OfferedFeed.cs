using FileTransfer.Catalog;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Cluster;

namespace FileTransfer.Feed.Pull;

/// <summary>This cluster's feed as other clusters read it: with all that they need to know of each mutation.</summary>
public sealed class OfferedFeed(Database database, FeedDigests digests, FeedHistory history, ThisNode node)
{
    /// <summary>Mutations of an answer at most.</summary>
    public const int LargestPage = 1000;

    /// <summary>The first sequence of bin <c>b</c> that is kept.</summary>
    private const string RetainedFrom =
        "coalesce((SELECT min(m.sequence) FROM filetransfer.mutations m WHERE m.bin = b.bin), b.head + 1)";

    private readonly SharedWork<(short Bin, long From, long To, int Limit, Task News), OfferedPage> _pages = new();
    private readonly SharedWork<(Task News, string Buckets), OfferedCursors> _cursors = new();

    /// <param name="news">What is asked for before a piece of news is not answered with what was read after it, nor the other way round.</param>
    /// <param name="buckets">Whose files the digests are of; null = of all.</param>
    public Task<OfferedCursors> CursorsAsync(
        IReadOnlyCollection<ByteString>? buckets,
        Task news,
        CancellationToken cancellationToken
    ) => _cursors.RunAsync((news, string.Join(',', buckets ?? [])), () => ReadCursorsAsync(buckets), cancellationToken);

    /// <summary>The mutations of a bin between two sequences, both included, as far as a page goes. Asked for by many at once, they are read once.</summary>
    /// <param name="news">As for <see cref="CursorsAsync"/>.</param>
    public Task<OfferedPage> ReadAsync(
        short bin,
        long from,
        long to,
        int limit,
        Task news,
        CancellationToken cancellationToken
    ) => _pages.RunAsync((bin, from, to, limit, news), () => ReadPageAsync(bin, from, to, limit), cancellationToken);

    private async Task<OfferedCursors> ReadCursorsAsync(IReadOnlyCollection<ByteString>? buckets)
    {
        const string sql = $"""
            SELECT c.feed_epoch, {RetainedFrom} FROM filetransfer.bins b CROSS JOIN filetransfer.cluster c ORDER BY b.bin
            """;
        var rows = await database.QueryAsync<(Guid Epoch, long RetainedFrom)>(sql, null, CancellationToken.None);
        var sets = await digests.ReadAsync(buckets, CancellationToken.None);
        return new OfferedCursors(
            rows[0].Epoch,
            [.. sets.Select(set => new OfferedBin(set.Bin, set.Sequence, rows[set.Bin].RetainedFrom, set.Digest.ToHash()))]
        );
    }

    private async Task<OfferedPage> ReadPageAsync(short bin, long from, long to, int limit)
    {
        const string sql = $"""
            SELECT c.feed_epoch, b.head, {RetainedFrom}
            FROM filetransfer.bins b CROSS JOIN filetransfer.cluster c WHERE b.bin = @bin;
            SELECT m.sequence, m.kind, m.appended_at, m.origin_cluster, m.origin_epoch, m.origin_sequence, {FileRow.Columns}
            FROM (
                SELECT * FROM filetransfer.mutations WHERE bin = @bin AND sequence BETWEEN @from AND @to ORDER BY sequence LIMIT @limit
            ) m
            JOIN filetransfer.files f USING (file_key)
            ORDER BY m.sequence
            """;
        var parameters = new
        {
            bin,
            from,
            to,
            limit,
        };
        await using var connection = await database.Pool.OpenConnectionAsync();
        await using var answers = await connection.QueryMultipleAsync(sql, parameters);
        var (epoch, head, retainedFrom) = await answers.ReadSingleAsync<(Guid, long, long)>();
        var rows = await answers.ReadAsync<OfferedRow>();
        var page = new FeedPage(
            epoch,
            bin,
            from - 1,
            [.. rows.Select(row => row.ToMutation(bin, OwnPlace(bin, row.Sequence, epoch)))]
        );
        if (page.Mutations.Count > 0 || (from >= retainedFrom && from <= head && from <= to))
        {
            page.RequireDense();
        }

        return new OfferedPage(page, head, retainedFrom);
    }

    /// <summary>A page of the files of a bin that the feed has added, in the order of their keys.</summary>
    /// <remarks>
    /// Whose newest Add a file is stands with the file itself: its own claim is this cluster's, else it is an upstream's, with the origin that
    /// came with it. So it outlives the mutation.
    /// </remarks>
    public async Task<OfferedFiles> FilesAsync(short bin, FileKey? after, int limit, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT c.feed_epoch, b.head FROM filetransfer.bins b CROSS JOIN filetransfer.cluster c WHERE b.bin = @bin;
            SELECT coalesce(f.sequence, 0) AS sequence, 'add' AS kind, f.registered_at AS appended_at,
                u.origin_cluster, u.origin_epoch, u.origin_sequence, {FileRow.Columns}
            FROM filetransfer.files f
            LEFT JOIN LATERAL (
                SELECT * FROM filetransfer.upstream_files WHERE file_key = f.file_key AND claims AND NOT f.own ORDER BY upstream LIMIT 1
            ) u ON true
            WHERE f.file_key > @after AND f.file_key < @until AND f.state = 'added'
            ORDER BY f.file_key LIMIT @limit
            """;
        var (first, until) = FeedPage.KeysOf(bin);
        var parameters = new
        {
            bin,
            after = after?.ToArray() ?? first,
            until,
            limit,
        };
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, parameters, cancellationToken: cancellationToken)
        );
        var (epoch, head) = await answers.ReadSingleAsync<(Guid, long)>();
        var rows = await answers.ReadAsync<OfferedRow>();
        return new OfferedFiles(
            epoch,
            head,
            [
                .. rows.Select(row => new OfferedFile(
                    row.FileKey,
                    row.ToRecord().Metadata,
                    row.OriginAt(OwnPlace(bin, row.Sequence, epoch))
                )),
            ]
        );
    }

    private MutationOrigin OwnPlace(short bin, long sequence, Guid epoch) =>
        new(node.ClusterId, history.PositionOf(bin, sequence)?.Epoch ?? epoch, sequence);

    private sealed class OfferedRow : FileRow
    {
        public required long Sequence { get; init; }
        public required MutationKind Kind { get; init; }
        public required DateTimeOffset AppendedAt { get; init; }
        public string? OriginCluster { get; init; }
        public Guid? OriginEpoch { get; init; }
        public long? OriginSequence { get; init; }

        public MutationOrigin OriginAt(MutationOrigin ownPlace) =>
            OriginCluster is { } cluster ? new MutationOrigin(cluster, OriginEpoch!.Value, OriginSequence!.Value) : ownPlace;

        public Mutation ToMutation(short bin, MutationOrigin ownPlace) =>
            new(bin, Sequence, Kind, FileKey)
            {
                Details = new MutationDetails(ToRecord().Metadata, OriginAt(ownPlace), AppendedAt),
            };
    }
}

/// <param name="RetainedFrom">The first sequence that is kept.</param>
public sealed record OfferedBin(int Bin, long Head, long RetainedFrom, Hash256 Digest);

public sealed record OfferedCursors(Guid Epoch, IReadOnlyList<OfferedBin> Bins);

public sealed record OfferedFiles(Guid Epoch, long Head, IReadOnlyList<OfferedFile> Files);

/// <param name="Origin">Of its newest Add.</param>
public sealed record OfferedFile(FileKey Key, FileMetadata Metadata, MutationOrigin Origin);

/// <param name="Head">The newest sequence of the bin when the page was read, or a little before.</param>
/// <param name="RetainedFrom">The first sequence that is kept.</param>
public sealed record OfferedPage(FeedPage Page, long Head, long RetainedFrom);
