using FileTransfer.Catalog;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Cluster;

namespace FileTransfer.Feed.Pull;

/// <summary>The files that this cluster's feed has added, for those who compare what they have of it.</summary>
/// <remarks>
/// Whose newest Add a file is stands with the file itself: its own claim is this cluster's, else it is an upstream's, with the origin that
/// came with it. So it outlives the mutation.
/// </remarks>
public sealed class OfferedSet(Database database, FeedHistory history, ThisNode node)
{
    private const string Head =
        "SELECT c.feed_epoch, b.head FROM filetransfer.bins b CROSS JOIN filetransfer.cluster c WHERE b.bin = @bin";

    /// <summary>The files of a range, and an upstream that has one first where this cluster does not claim it itself.</summary>
    private const string Files = """
        filetransfer.files f
        LEFT JOIN LATERAL (
            SELECT * FROM filetransfer.upstream_files WHERE file_key = f.file_key AND claims AND NOT f.own ORDER BY upstream LIMIT 1
        ) u ON true
        WHERE f.file_key > @after AND f.file_key <= @last AND f.state = 'added'
            AND (@buckets::bytea[] IS NULL OR f.bucket = ANY(@buckets))
        """;

    private readonly SharedWork<(KeyPrefix Range, string Buckets), OfferedRanges> _ranges = new();

    /// <summary>The digests of the parts of a range, asked for by many at once they are computed once.</summary>
    /// <param name="buckets">Files of these alone; null = of all.</param>
    public Task<OfferedRanges> RangesAsync(
        short bin,
        KeyPrefix range,
        IReadOnlyCollection<ByteString>? buckets,
        CancellationToken cancellationToken
    ) =>
        _ranges.RunAsync((range, string.Join(',', buckets ?? [])), () => ReadRangesAsync(bin, range, buckets), cancellationToken);

    /// <summary>A page of the files of a range, in the order of their keys.</summary>
    /// <param name="buckets">As for <see cref="RangesAsync"/>.</param>
    public async Task<OfferedFiles> FilesAsync(
        short bin,
        KeyPrefix range,
        IReadOnlyCollection<ByteString>? buckets,
        FileKey? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var sql = $"""
            {Head};
            SELECT * FROM (
                SELECT coalesce(f.sequence, 0) AS sequence, 'add' AS kind, f.registered_at AS appended_at,
                    u.origin_cluster, u.origin_epoch, u.origin_sequence, {FileRow.Columns}, {PageBytes.Before("f.file_key")}
                FROM {Files}
                ORDER BY f.file_key LIMIT @limit
            ) page WHERE bytes_before < {PageBytes.Most}
            """;
        var parameters = new
        {
            bin,
            after = after?.ToArray() ?? range.Before,
            range.Last,
            buckets = ToParameter(buckets),
            limit,
        };
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, parameters, cancellationToken: cancellationToken)
        );
        var (epoch, head) = await answers.ReadSingleAsync<(Guid, long)>();
        var rows = await answers.ReadAsync<OfferedRow>();
        var own = new OwnFeed(node.ClusterId, epoch, history);
        var files = rows.Select(row => new OfferedFile(row.FileKey, row.ToRecord().Metadata, row.OriginBeside(own))).ToList();
        return new OfferedFiles(
            epoch,
            head,
            files,
            GoesOn: files.Count == limit || PageBytes.AreReached(files.Select(file => file.Metadata))
        );
    }

    private async Task<OfferedRanges> ReadRangesAsync(short bin, KeyPrefix range, IReadOnlyCollection<ByteString>? buckets)
    {
        var sql = $"""
            {Head};
            {RangeDigest.SqlOf($"SELECT f.file_key, coalesce(u.origin_cluster, @here) AS origin_cluster FROM {Files}")}
            """;
        var parameters = new
        {
            bin,
            here = node.ClusterId,
            after = range.Before,
            range.Last,
            digits = range.Digits.Length + KeyPrefix.Step,
            buckets = ToParameter(buckets),
        };
        await using var connection = await database.Pool.OpenConnectionAsync();
        await using var answers = await connection.QueryMultipleAsync(sql, parameters);
        var (epoch, head) = await answers.ReadSingleAsync<(Guid, long)>();
        return new OfferedRanges(epoch, head, [.. (await answers.ReadAsync<RangeDigest.Row>()).Select(row => row.ToDigest())]);
    }

    private static byte[][]? ToParameter(IReadOnlyCollection<ByteString>? buckets) =>
        buckets?.Select(bucket => bucket.ToArray()).ToArray();
}

/// <param name="Head">The newest sequence of the bin when the digests were made, or a little before.</param>
public sealed record OfferedRanges(Guid Epoch, long Head, IReadOnlyList<RangeDigest> Ranges);

/// <param name="Head">As of <see cref="OfferedRanges"/>.</param>
/// <param name="GoesOn">There may be more behind the last of them.</param>
public sealed record OfferedFiles(Guid Epoch, long Head, IReadOnlyList<OfferedFile> Files, bool GoesOn);

/// <param name="Origin">Of its newest Add.</param>
public sealed record OfferedFile(FileKey Key, FileMetadata Metadata, MutationOrigin Origin);
