using FileTransfer.Catalog;
using FileTransfer.Cluster;

namespace FileTransfer.Feed;

/// <summary>Appends to the feed: owner of <c>filetransfer.bins</c> and <c>filetransfer.mutations</c>.</summary>
/// <remarks>
/// The bin's row is locked from the append to the commit. Two appends to one bin therefore commit in the order of their sequences, and an
/// append that is undone gives its sequence back: no reader can pass a mutation that commits later (a sequence generator would allow both).
/// </remarks>
public static class FeedAppender
{
    /// <summary>A hint that a bin has grown. The heads of the bins are the truth.</summary>
    public static readonly NotificationChannel<GrownBin> Grown = new("filetransfer_feed", grown => grown.Text, GrownBin.Parse);

    /// <summary>
    /// Appends a mutation of each file, in their order, in the leader's transaction, which has locked the files' rows, and gives them the state that follows;
    /// the last thing it should do, for the bins are locked from here on.
    /// </summary>
    /// <param name="originOf">Where the mutation of a file was appended first; null = here.</param>
    /// <param name="traceOf">The trace that it came with from there.</param>
    public static async Task AppendAsync(
        LeaderTransaction transaction,
        MutationKind kind,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken,
        Func<FileKey, MutationOrigin?>? originOf = null,
        Func<FileKey, string?>? traceOf = null
    )
    {
        // The bins in their order, so that no two appends wait for each other.
        const string append = $"""
            SELECT count(*) FROM (SELECT 1 FROM filetransfer.bins WHERE bin = ANY(@bins) ORDER BY bin FOR UPDATE) locked;
            WITH due AS (
                SELECT given.*, (SELECT f.state = 'added' FROM filetransfer.files f WHERE f.file_key = given.file_key) AS was_added,
                    row_number() OVER (PARTITION BY bin ORDER BY place) AS ordinal
                FROM unnest(@binOfEach::smallint[], @keys::bytea[], @clusters::text[], @epochs::uuid[], @sequences::bigint[])
                    WITH ORDINALITY AS given (bin, file_key, origin_cluster, origin_epoch, origin_sequence, place)
            ), next AS (
                UPDATE filetransfer.bins b SET head = b.head + grown.by
                FROM (SELECT bin, count(*) AS by FROM due GROUP BY bin) grown
                WHERE b.bin = grown.bin RETURNING b.bin, b.head - grown.by AS former
            ), appended AS (
                INSERT INTO filetransfer.mutations
                    (bin, sequence, kind, file_key, leader_epoch, origin_cluster, origin_epoch, origin_sequence, was_added)
                SELECT bin, former + ordinal, @kind, file_key, @epoch, origin_cluster, origin_epoch, origin_sequence, was_added
                FROM due JOIN next USING (bin)
                RETURNING file_key, sequence
            )
            {FileCatalog.MutateSql}
            """;
        const string remove = $"{BucketQuotas.ReleaseSql}; {append}";
        if (keys.Count == 0)
        {
            return;
        }

        using var trace = FeedTraces.Append(
            kind,
            keys.Count,
            keys.Select(key => traceOf?.Invoke(key)).FirstOrDefault(one => one is not null)
        );
        if (kind == MutationKind.Add)
        {
            await FeedTraces.NoteAsync(transaction.Connection, keys, cancellationToken, traceOf);
        }

        var origins = keys.Select(key => originOf?.Invoke(key)).ToList();
        var bins = keys.Select(key => key.Bin).Distinct().ToList();
        var parameters = new
        {
            bins = bins.Select(bin => (short)bin).ToArray(),
            binOfEach = keys.Select(key => (short)key.Bin).ToArray(),
            keys = keys.ToParameter(),
            clusters = origins.Select(origin => origin?.Cluster).ToArray(),
            epochs = origins.Select(origin => origin?.Epoch).ToArray(),
            sequences = origins.Select(origin => origin?.Sequence).ToArray(),
            kind = kind.ToString().ToLowerInvariant(),
            state = kind == MutationKind.Add ? "added" : "removed",
            epoch = transaction.LeaderEpoch,
        };
        await transaction.Connection.ExecuteAsync(kind == MutationKind.Add ? append : remove, parameters, cancellationToken);
        foreach (var bin in bins)
        {
            transaction.NotifyAfterCommit(Grown, new GrownBin(bin));
        }
    }
}

public sealed record GrownBin(int Bin)
{
    internal string Text => Bin.ToString(CultureInfo.InvariantCulture);

    internal static GrownBin? Parse(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bin) ? new GrownBin(bin) : null;
}
