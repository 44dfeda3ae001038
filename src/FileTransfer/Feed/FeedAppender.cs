using FileTransfer.Catalog;
using FileTransfer.Cluster;
using FileTransfer.Postgres;

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
    /// Appends a mutation in the leader's transaction, which has locked the file's row, and gives the file the state that follows; the last
    /// thing it should do, for the bin is locked from here on.
    /// </summary>
    public static async Task<Mutation> AppendAsync(
        LeaderTransaction transaction,
        MutationKind kind,
        FileKey key,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            WITH next AS (
                UPDATE filetransfer.bins SET head = head + 1 WHERE bin = @bin RETURNING head
            ), appended AS (
                INSERT INTO filetransfer.mutations (bin, sequence, kind, file_key, leader_epoch)
                SELECT @bin, head, @kind, @key, @epoch FROM next
                RETURNING sequence
            ), mutated AS (
                {FileCatalog.MutateSql}
            )
            SELECT sequence FROM appended
            """;
        var parameters = new
        {
            bin = (short)key.Bin,
            kind = kind.ToString().ToLowerInvariant(),
            state = kind == MutationKind.Add ? "added" : "removed",
            key,
            epoch = transaction.LeaderEpoch,
        };
        var sequence = await transaction.Connection.QuerySingleAsync<long>(sql, parameters, cancellationToken);
        transaction.NotifyAfterCommit(Grown, new GrownBin(key.Bin));
        return new Mutation(key.Bin, sequence, kind, key);
    }
}

public sealed record GrownBin(int Bin)
{
    internal string Text => Bin.ToString(CultureInfo.InvariantCulture);

    internal static GrownBin? Parse(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bin) ? new GrownBin(bin) : null;
}
