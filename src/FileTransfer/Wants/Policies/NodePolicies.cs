using FileTransfer.Catalog;

namespace FileTransfer.Wants.Policies;

/// <summary>A policy as it is kept.</summary>
/// <param name="ChangedAt">Null where the bucket has none, and everything is wanted.</param>
/// <param name="IsReviewDue">Whether the node's replicas may not follow it yet.</param>
/// <param name="Prunes">Whether the review that is due takes away what is stored and not wanted, too.</param>
/// <param name="ReviewedTo">The last file that this review has looked at; empty at its beginning.</param>
public sealed record PolicyRecord(
    ByteString Bucket,
    Policy Policy,
    DateTime? ChangedAt,
    bool IsReviewDue,
    bool Prunes,
    ByteString ReviewedTo
)
{
    /// <summary>The policy of a bucket of which nothing was said.</summary>
    public static PolicyRecord None(ByteString bucket) => new(bucket, Policy.Everything, null, false, false, default);
}

/// <summary>The policies of this node: owner of <c>filetransfer.policies</c>.</summary>
/// <remarks>
/// Who writes replicas by what a policy says does so in a transaction that runs <see cref="DesiredState.HoldSql"/> first, in a statement of its own; a policy
/// changes only while nobody does. So whatever followed the former policy is committed, and seen by the review of the new one, and
/// whatever comes later follows the new one. It is the first lock such a transaction takes: a change that waits for it would else keep out
/// a transaction that others wait for.
/// </remarks>
public sealed class NodePolicies(Database database, NodeId node)
{
    /// <summary>The policies of a node that is taken out of the cluster.</summary>
    public static Task ForgetNodeAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken) =>
        connection.ExecuteAsync("DELETE FROM filetransfer.policies WHERE node_id = @node", new { node }, cancellationToken);

    /// <summary>SQL: the review of a policy of <c>@node</c> is due.</summary>
    public const string IsAnyDue = "EXISTS (SELECT FROM filetransfer.policies WHERE node_id = @node AND review_due)";

    /// <summary>A page of policies ends with the one in which their filters reach so many bytes.</summary>
    private const int MostBytes = 1024 * 1024;

    private const string Select =
        "SELECT bucket, kind, prefixes, exacts, changed_at, review_due, prunes, reviewed_to FROM filetransfer.policies WHERE node_id = @node";

    public async Task<PolicyRecord> GetAsync(ByteString bucket, CancellationToken cancellationToken)
    {
        const string sql = $"{Select} AND bucket = @bucket";
        var row = await database.QuerySingleOrDefaultAsync<PolicyRow>(sql, new { node, bucket }, cancellationToken);
        return row is null ? PolicyRecord.None(bucket) : ToRecord(row);
    }

    /// <summary>The policies of all buckets that have one, in the order of these.</summary>
    public async Task<IReadOnlyList<PolicyRecord>> AllAsync(CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync<PolicyRow>($"{Select} ORDER BY bucket", new { node }, cancellationToken);
        return [.. rows.Select(ToRecord)];
    }

    /// <summary>The policies of some buckets, in the order of these, as many as are within a bound of bytes; the first one in any case.</summary>
    public async Task<IReadOnlyList<PolicyRecord>> OfAsync(IReadOnlyList<ByteString> buckets, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT * FROM (
                {Select} AND bucket = ANY(@buckets)
            ) p WHERE bucket IN (
                SELECT bucket FROM (
                    SELECT bucket, sum(bytes) OVER (ORDER BY bucket ROWS UNBOUNDED PRECEDING) - bytes AS bytes_before
                    FROM filetransfer.policies
                    CROSS JOIN LATERAL (SELECT coalesce(sum(octet_length(v)), 0) AS bytes FROM unnest(prefixes || exacts) v) filters
                    WHERE node_id = @node AND bucket = ANY(@buckets)
                ) sized WHERE bytes_before < @most
            ) ORDER BY bucket
            """;
        var parameters = new
        {
            node,
            buckets = buckets.Select(bucket => bucket.ToArray()).ToArray(),
            most = MostBytes,
        };
        return [.. (await database.QueryAsync<PolicyRow>(sql, parameters, cancellationToken)).Select(ToRecord)];
    }

    /// <summary>Those of the buckets that have a policy.</summary>
    public Task<IReadOnlyList<ByteString>> SetForAsync(IReadOnlyList<ByteString> buckets, CancellationToken cancellationToken) =>
        database.QueryAsync<ByteString>(
            "SELECT bucket FROM filetransfer.policies WHERE node_id = @node AND bucket = ANY(@buckets) ORDER BY bucket",
            new { node, buckets = buckets.Select(bucket => bucket.ToArray()).ToArray() },
            cancellationToken
        );

    /// <summary>Whether so many other buckets have a policy.</summary>
    public Task<bool> AreAsManyAsync(int most, ByteString beside, CancellationToken cancellationToken) =>
        database.QuerySingleAsync<bool>(
            """
            SELECT count(*) >= @most FROM (
                SELECT FROM filetransfer.policies WHERE node_id = @node AND bucket <> @beside LIMIT @most
            ) others
            """,
            new
            {
                node,
                beside,
                most,
            },
            cancellationToken
        );

    /// <summary>The buckets behind <paramref name="after"/> that have files or a policy, in their order: one step along an index for each.</summary>
    public Task<IReadOnlyList<ByteString>> BucketsAsync(ByteString after, int limit, CancellationToken cancellationToken)
    {
        const string next = """
            least(
                (SELECT bucket FROM filetransfer.files WHERE bucket > b.bucket ORDER BY bucket LIMIT 1),
                (SELECT bucket FROM filetransfer.policies WHERE node_id = @node AND bucket > b.bucket ORDER BY bucket LIMIT 1)
            )
            """;
        const string sql = $"""
            WITH RECURSIVE buckets AS (
                SELECT {next} AS bucket FROM (VALUES (@after)) AS b (bucket)
                UNION ALL
                SELECT {next} FROM buckets b WHERE b.bucket IS NOT NULL
            )
            SELECT bucket FROM buckets WHERE bucket IS NOT NULL LIMIT @limit
            """;
        var parameters = new
        {
            node,
            after,
            limit,
        };
        return database.QueryAsync<ByteString>(sql, parameters, cancellationToken);
    }

    /// <summary>The policy whose review is due, the one changed last where there are several; null where none is.</summary>
    public async Task<PolicyRecord?> DueAsync(CancellationToken cancellationToken)
    {
        const string sql = $"{Select} AND review_due ORDER BY changed_at DESC LIMIT 1";
        return (await database.QueryAsync<PolicyRow>(sql, new { node }, cancellationToken)) is [var row] ? ToRecord(row) : null;
    }

    /// <summary>Has every policy reviewed, from its beginning where no review is due already.</summary>
    public Task ReviewAllAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.policies SET review_due = true, prunes = false, reviewed_to = '' WHERE node_id = @node AND NOT review_due
            """;
        return database.QueryAsync<int>($"{sql} RETURNING 1", new { node }, cancellationToken);
    }

    /// <summary>Writes the policy; from the commit on a review is due, and what comes by the feed follows it.</summary>
    public async Task<PolicyRecord> SetAsync(ByteString bucket, Policy policy, bool prunes, CancellationToken cancellationToken)
    {
        const string hold = $"SELECT pg_advisory_xact_lock({DesiredState.LockKey})";
        const string write = """
            INSERT INTO filetransfer.policies (node_id, bucket, kind, prefixes, exacts, prunes)
            VALUES (@node, @bucket, @kind, @prefixes, @exacts, @prunes)
            ON CONFLICT (node_id, bucket) DO UPDATE
                SET kind = EXCLUDED.kind, prefixes = EXCLUDED.prefixes, exacts = EXCLUDED.exacts, review_due = true,
                    prunes = EXCLUDED.prunes, reviewed_to = '', changed_at = clock_timestamp()
            RETURNING changed_at
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await database.LockWaits.WatchAsync(connection, connection.ExecuteAsync(hold, new { node }, cancellationToken));
        var parameters = new
        {
            node,
            bucket,
            kind = Policy.NameOf(policy.Kind),
            prefixes = policy.Prefixes.Select(value => value.ToArray()).ToArray(),
            exacts = policy.Exacts.Select(value => value.ToArray()).ToArray(),
            prunes,
        };
        var changedAt = await connection.QuerySingleAsync<DateTime>(write, parameters, cancellationToken);
        await database.Commits.CommitAsync(transaction);
        return new PolicyRecord(bucket, policy, changedAt, true, prunes, default);
    }

    /// <summary>The review has come to this file.</summary>
    /// <returns>False when the policy has changed meanwhile.</returns>
    public async Task<bool> ReviewedToAsync(PolicyRecord reviewed, ByteString file, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.policies SET reviewed_to = @file
            WHERE node_id = @node AND bucket = @bucket AND changed_at = @changedAt AND review_due
            RETURNING true
            """;
        var parameters = new
        {
            node,
            reviewed.Bucket,
            reviewed.ChangedAt,
            file,
        };
        return await database.QuerySingleOrDefaultAsync<bool>(sql, parameters, cancellationToken);
    }

    /// <summary>The replicas follow this policy now. Of one that wants everything nothing need be kept.</summary>
    /// <returns>False when the policy has changed meanwhile.</returns>
    public async Task<bool> ReviewedAsync(PolicyRecord reviewed, CancellationToken cancellationToken)
    {
        const string sql = """
            WITH kept AS (
                UPDATE filetransfer.policies SET review_due = false, prunes = false, reviewed_to = ''
                WHERE node_id = @node AND bucket = @bucket AND changed_at = @changedAt AND NOT @everything
                RETURNING 1
            ), ended AS (
                DELETE FROM filetransfer.policies
                WHERE node_id = @node AND bucket = @bucket AND changed_at = @changedAt AND @everything
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM kept) + (SELECT count(*) FROM ended)
            """;
        var parameters = new
        {
            node,
            reviewed.Bucket,
            reviewed.ChangedAt,
            everything = reviewed.Policy.IsEverything,
        };
        return await database.QuerySingleAsync<long>(sql, parameters, cancellationToken) == 1;
    }

    /// <summary>As the database judges by it (<c>policy_wants</c>): what is no filter matches nothing.</summary>
    private PolicyRecord ToRecord(PolicyRow row)
    {
        var kind = Policy.ReadKind(row.Kind);
        var filters = FiltersOf(FilterKind.Prefix, row.Prefixes).Concat(FiltersOf(FilterKind.Exact, row.Exacts)).ToList();
        if (kind is null || filters.Contains(null) || filters.Count > Policy.MaxFilters)
        {
            var name = $"{node} {Convert.ToHexStringLower(row.Bucket)}";
            database.FaultyRows.Tell("policies", name, "its kind or filters are none; those that are count");
        }

        return new PolicyRecord(
            new ByteString(row.Bucket),
            new Policy(kind ?? PolicyKind.EverythingExcept, filters.OfType<LocationFilter>().Take(Policy.MaxFilters)),
            row.ChangedAt,
            row.ReviewDue,
            row.Prunes,
            new ByteString(row.ReviewedTo)
        );
    }

    private static IEnumerable<LocationFilter?> FiltersOf(FilterKind kind, IEnumerable<byte[]?> values) =>
        values.Select(value => value is null ? null : LocationFilter.Of(kind, new ByteString(value)));

    private sealed class PolicyRow
    {
        public required byte[] Bucket { get; init; }
        public required string Kind { get; init; }
        public required byte[]?[] Prefixes { get; init; }
        public required byte[]?[] Exacts { get; init; }
        public required DateTime ChangedAt { get; init; }
        public required bool ReviewDue { get; init; }
        public required bool Prunes { get; init; }
        public required byte[] ReviewedTo { get; init; }
    }
}
