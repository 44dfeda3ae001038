namespace FileTransfer.Feed.Push;

/// <summary>A cluster that this one ships to, as it was set.</summary>
/// <param name="Buckets">Only files of these, in hex, separated by commas; none = of all.</param>
/// <param name="Cluster">Whose the URL turned out to be; null before it was reached first.</param>
public sealed record FollowerRow(string Name, string Url, string? Token, string Buckets, bool Paused, string? Cluster);

/// <summary>How far a follower has acknowledged a bin.</summary>
/// <param name="Epoch">The history that the sequence is of.</param>
/// <param name="RebuildDue">The bin is compared instead of being shipped what follows.</param>
public sealed record AcknowledgedBin(string Follower, short Bin, Guid? Epoch, long Acknowledged, bool RebuildDue);

/// <summary>What a follower has not acknowledged.</summary>
/// <param name="Bytes">Of the contents that are added; counted no further than 10,000 mutations of a bin.</param>
/// <param name="Seconds">Since the oldest of it was appended.</param>
public sealed record FollowerLag(string Follower, long Bytes, double Seconds);

/// <summary>The followers that do not share the database: owner of <c>filetransfer.followers</c> and <c>filetransfer.follower_bins</c>.</summary>
public sealed class FollowerTable(Database database)
{
    /// <summary>SQL: a follower has not acknowledged all of a bin.</summary>
    internal const string IsBehind = """
        EXISTS (
            SELECT FROM filetransfer.follower_bins p JOIN filetransfer.bins b USING (bin) WHERE b.head > p.acknowledged AND NOT p.rebuild_due
        )
        """;

    /// <param name="name">Null = all.</param>
    public async Task<IReadOnlyList<FollowerRow>> ReadAsync(string? name, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT name, url, token, buckets, paused, cluster_id AS cluster FROM filetransfer.followers
            WHERE @name::text IS NULL OR name = @name ORDER BY name
            """;
        return [.. (await database.QueryAsync<FollowerRow>(sql, new { name }, cancellationToken)).Where(IsRight)];
    }

    private bool IsRight(FollowerRow row)
    {
        var isRight =
            WrittenUrl.Read(row.Url) is not null
            && row.Buckets.Split(',', StringSplitOptions.RemoveEmptyEntries).All(bucket => BucketId.TryParse(bucket, out _));
        if (!isRight)
        {
            database.FaultyRows.Tell("followers", row.Name, "its url or buckets are none; nothing is shipped to it");
        }

        return isRight;
    }

    /// <param name="name">Null = of all.</param>
    public Task<IReadOnlyList<AcknowledgedBin>> PositionsAsync(string? name, CancellationToken cancellationToken) =>
        database.QueryAsync<AcknowledgedBin>(
            """
            SELECT follower, bin, feed_epoch AS epoch, acknowledged, rebuild_due FROM filetransfer.follower_bins
            WHERE @name::text IS NULL OR follower = @name ORDER BY follower, bin
            """,
            new { name },
            cancellationToken
        );

    /// <summary>Sets a follower. What it has acknowledged counts on; its next handshake says whether that is so.</summary>
    /// <returns>Whether it is new.</returns>
    public Task<bool> PutAsync(FollowerRow follower, CancellationToken cancellationToken)
    {
        const string sql = """
            WITH put AS (
                INSERT INTO filetransfer.followers AS f (name, url, token, buckets, paused) VALUES (@name, @url, @token, @buckets, @paused)
                ON CONFLICT (name) DO UPDATE
                    SET url = EXCLUDED.url, token = EXCLUDED.token, buckets = EXCLUDED.buckets, paused = EXCLUDED.paused,
                        cluster_id = CASE WHEN f.url = EXCLUDED.url THEN f.cluster_id END
                RETURNING name, xmax = 0 AS is_new
            ), bins AS (
                INSERT INTO filetransfer.follower_bins (follower, bin) SELECT name, generate_series(0, 15) FROM put ON CONFLICT DO NOTHING
            )
            SELECT is_new FROM put
            """;
        return database.QuerySingleAsync<bool>(sql, follower, cancellationToken);
    }

    /// <returns>Whether it was there.</returns>
    public async Task<bool> RemoveAsync(string name, CancellationToken cancellationToken) =>
        await database.ExecuteAsync("DELETE FROM filetransfer.followers WHERE name = @name", new { name }, cancellationToken) > 0;

    public Task SetClusterAsync(string name, string cluster, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            "UPDATE filetransfer.followers SET cluster_id = @cluster WHERE name = @name AND cluster_id IS DISTINCT FROM @cluster",
            new { name, cluster },
            cancellationToken
        );

    /// <summary>Notes what has been acknowledged. What a failover loses of it the next handshake says again, so it waits for no standby.</summary>
    public async Task SaveAsync(IReadOnlyCollection<AcknowledgedBin> bins, CancellationToken cancellationToken)
    {
        const string sql = """
            SET LOCAL synchronous_commit = off;
            UPDATE filetransfer.follower_bins p
            SET feed_epoch = given.epoch, acknowledged = given.acknowledged, rebuild_due = given.rebuild_due
            FROM unnest(@followers::text[], @bins::smallint[], @epochs::uuid[], @acknowledged::bigint[], @due::boolean[])
                AS given (follower, bin, epoch, acknowledged, rebuild_due)
            WHERE p.follower = given.follower AND p.bin = given.bin
            """;
        var parameters = new
        {
            followers = bins.Select(bin => bin.Follower).ToArray(),
            bins = bins.Select(bin => bin.Bin).ToArray(),
            epochs = bins.Select(bin => bin.Epoch).ToArray(),
            acknowledged = bins.Select(bin => bin.Acknowledged).ToArray(),
            due = bins.Select(bin => bin.RebuildDue).ToArray(),
        };
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(sql, parameters, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>The bins of followers that are further behind than the budget allows, and are not marked yet.</summary>
    public Task<IReadOnlyList<(string Follower, short Bin)>> OverAsync(ShippingBudget budget, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT p.follower, p.bin FROM filetransfer.follower_bins p JOIN filetransfer.bins b USING (bin)
            LEFT JOIN filetransfer.mutations m ON m.bin = p.bin AND m.sequence = p.acknowledged + 1
            WHERE b.head > p.acknowledged AND NOT p.rebuild_due
              AND (b.head - p.acknowledged > @entries OR m.appended_at < clock_timestamp() - @time)
            """;
        return database.QueryAsync<(string, short)>(
            sql,
            new { entries = (long)budget.Entries, time = budget.Time },
            cancellationToken
        );
    }

    /// <summary>What followers have not acknowledged.</summary>
    /// <param name="name">Null = all of them.</param>
    public Task<IReadOnlyList<FollowerLag>> LagsAsync(string? name, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT p.follower, coalesce(sum(behind.bytes), 0)::bigint AS bytes,
                greatest(extract(epoch FROM clock_timestamp() - min(behind.since)), 0)::double precision AS seconds
            FROM filetransfer.follower_bins p JOIN filetransfer.bins b USING (bin)
            CROSS JOIN LATERAL (
                SELECT sum(f.size) FILTER (WHERE m.kind = 'add') AS bytes, min(m.appended_at) AS since
                FROM (
                    SELECT * FROM filetransfer.mutations
                    WHERE bin = p.bin AND sequence > p.acknowledged ORDER BY sequence LIMIT 10000
                ) m JOIN filetransfer.files f USING (file_key)
            ) behind
            WHERE b.head > p.acknowledged AND (@name::text IS NULL OR p.follower = @name)
            GROUP BY p.follower
            """;
        return database.QueryAsync<FollowerLag>(sql, new { name }, cancellationToken);
    }
}
