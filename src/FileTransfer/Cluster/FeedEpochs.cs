using System.Data;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Cluster;

/// <summary>The histories of the feed: owner of <c>filetransfer.feed_epochs</c> and of the epoch in <c>filetransfer.cluster</c>.</summary>
/// <remarks>
/// A history belongs to one server's data on one timeline. Whoever joins first after a promotion, or in a copy of the database, begins the
/// next one; the others find it begun. It is decided under the lock of the cluster's row, so it is begun once.
/// </remarks>
public static class FeedEpochs
{
    /// <summary>All of them, the oldest first; none where the schema is older, or not there.</summary>
    public static async Task<IReadOnlyList<LedgerEpoch>> ReadAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        // What somebody else has written there may be no history.
        const string sql = """
            SELECT feed_epoch, began_at, heads FROM filetransfer.feed_epochs
            WHERE isfinite(began_at) AND cardinality(heads) = 16 AND array_position(heads, NULL) IS NULL
            ORDER BY began_at
            """;
        var exists = await connection.QuerySingleAsync<bool>(
            "SELECT to_regclass('filetransfer.feed_epochs') IS NOT NULL",
            null,
            cancellationToken
        );
        if (!exists)
        {
            return [];
        }

        var rows = await connection.QueryAsync<(Guid Epoch, DateTime BeganAt, long[] Heads)>(sql, null, cancellationToken);
        return [.. rows.Select(row => new LedgerEpoch(row.Epoch, row.BeganAt, row.Heads))];
    }

    /// <summary>Makes sure that the feed's history is one of this server's data on this timeline: begins another where it is not.</summary>
    /// <param name="distrusted">A history that is not to be continued, whatever it began on; null = none.</param>
    /// <returns>The history that counts from now on, and the one it replaced, if it did.</returns>
    public static async Task<(Guid Epoch, Guid? Replaced)> SettleAsync(
        NpgsqlConnection connection,
        CatalogIdentity found,
        Guid? distrusted,
        CancellationToken cancellationToken
    )
    {
        const string read = """
            SELECT c.feed_epoch, e.system_identifier, e.timeline
            FROM filetransfer.cluster c LEFT JOIN filetransfer.feed_epochs e ON e.feed_epoch = c.feed_epoch
            FOR UPDATE OF c
            """;
        const string stamp = """
            INSERT INTO filetransfer.feed_epochs (feed_epoch, began_at, system_identifier, timeline, heads)
            VALUES (@epoch, clock_timestamp(), @system, @timeline, array_fill(0::bigint, ARRAY[16]))
            ON CONFLICT (feed_epoch) DO UPDATE
                SET system_identifier = EXCLUDED.system_identifier, timeline = EXCLUDED.timeline
            """;
        const string begin = """
            UPDATE filetransfer.cluster SET feed_epoch = @next;
            INSERT INTO filetransfer.feed_epochs (feed_epoch, began_at, system_identifier, timeline, heads)
            SELECT @next,
                greatest(clock_timestamp(), (SELECT max(began_at) + interval '1 millisecond' FROM filetransfer.feed_epochs WHERE isfinite(began_at))),
                @system, @timeline, (SELECT array_agg(head ORDER BY bin) FROM filetransfer.bins)
            """;
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        var (epoch, system, timeline) = await connection.QuerySingleAsync<(Guid Epoch, string? System, long? Timeline)>(
            read,
            null,
            cancellationToken
        );
        var isOfHere = system is null || (system == found.SystemIdentifier && timeline == found.Timeline);
        var next = isOfHere && epoch != distrusted ? epoch : Guid.NewGuid();
        if (next != epoch || system is null)
        {
            await connection.ExecuteAsync(
                next == epoch ? stamp : begin,
                new
                {
                    epoch,
                    next,
                    system = found.SystemIdentifier,
                    timeline = found.Timeline,
                },
                cancellationToken
            );
        }

        await transaction.CommitAsync(cancellationToken);
        return (next, next == epoch ? null : epoch);
    }
}
