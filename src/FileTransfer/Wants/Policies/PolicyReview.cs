using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Wants.Policies;

/// <summary>What a review changed.</summary>
/// <param name="Reviewed">Files that were looked at.</param>
/// <param name="Wanted">Files that are wanted now and were not.</param>
/// <param name="Withdrawn">Replicas, queued, running or set aside, that are not wanted any more.</param>
/// <param name="Pruned">Stored replicas that leave this node.</param>
/// <param name="Kept">How many stored files that are not wanted stay, for no other living node has them stored.</param>
/// <param name="KeptKeys">The first of these.</param>
public sealed record PolicyEffect(
    long Reviewed,
    long Wanted,
    long Withdrawn,
    long Pruned,
    long Kept,
    IReadOnlyList<FileKey> KeptKeys
)
{
    public const int MostKeptKeys = 100;

    public static PolicyEffect None { get; } = new(0, 0, 0, 0, 0, []);

    public bool IsNothing => Wanted + Withdrawn + Pruned == 0;

    public PolicyEffect And(PolicyEffect more) =>
        new(
            Reviewed + more.Reviewed,
            Wanted + more.Wanted,
            Withdrawn + more.Withdrawn,
            Pruned + more.Pruned,
            Kept + more.Kept,
            more.KeptKeys.Count == 0 || KeptKeys.Count == MostKeptKeys
                ? KeptKeys
                : [.. KeptKeys.Concat(more.KeptKeys).Take(MostKeptKeys)]
        );
}

/// <summary>Makes the replicas of this node follow the policy of a bucket.</summary>
/// <remarks>
/// It goes through the bucket in the order of file keys, a page a step, however many files there are. A page is looked through first,
/// without holding anything; what differs is then written in transactions that look again at each file under its lock and by the policy of
/// that moment. So a review can be cut off anywhere, run twice, or be overtaken by another policy, whose own review follows.
/// </remarks>
public sealed class PolicyReview(Database database, ReplicaChanges changes, NodeId node)
{
    private const int PageSize = 2000;

    private const string NotWantedByPolicy = "the policy of its bucket does not want it here";

    /// <summary>Reviews the next page of the policy's bucket; what was done stays.</summary>
    /// <returns>What came of it, and the last file of the page; null where the page was the last.</returns>
    public async Task<(PolicyEffect Effect, ByteString? To)> StepAsync(PolicyRecord policy, CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var page = await PageAsync(connection, policy, cancellationToken);
        var effect = await FollowAsync(connection, page, policy.Prunes, cancellationToken);
        return (effect, page.Count < PageSize ? null : new ByteString(page[^1].Key));
    }

    private async Task<List<(byte[] Key, string? Step)>> PageAsync(
        NpgsqlConnection connection,
        PolicyRecord policy,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            WITH page AS MATERIALIZED (
                SELECT file_key, bucket, location, state FROM filetransfer.files
                WHERE bucket = @bucket AND file_key > @after
                ORDER BY file_key LIMIT @limit
            )
            SELECT f.file_key, CASE
                WHEN f.state = 'added' AND (r.state IS NULL OR r.state = 'removing') AND {DesiredState.WantsSql} THEN 'want'
                WHEN ({ReplicaSql.IsLacking} AND NOT r.pinned OR @prunes AND r.state = 'stored')
                    AND NOT {DesiredState.WantsSql} THEN 'end'
            END AS step
            FROM page f LEFT JOIN LATERAL (
                SELECT state, pinned FROM filetransfer.replicas WHERE node_id = @node AND file_key = f.file_key OFFSET 0
            ) r ON true
            ORDER BY f.file_key
            """;
        var parameters = new
        {
            node,
            policy.Bucket,
            after = policy.ReviewedTo,
            policy.Prunes,
            limit = PageSize,
        };
        return (await connection.QueryAsync<(byte[] Key, string? Step)>(sql, parameters, cancellationToken)).AsList();
    }

    private async Task<PolicyEffect> FollowAsync(
        NpgsqlConnection connection,
        List<(byte[] Key, string? Step)> page,
        bool prunes,
        CancellationToken cancellationToken
    )
    {
        // A transaction for each step, so that each locks its files in one order.
        var wanted = await StepAsync(
            "want",
            keys => ReplicaTransitions.WantAddedAsync(connection, node, keys, cancellationToken)
        );
        changes.PublishWanted(wanted ?? []);
        var withdrawn = await StepAsync(
            "end",
            keys => ReplicaTransitions.WithdrawAsync(connection, node, keys, NotWantedByPolicy, cancellationToken)
        );
        // A download that ended well just before it was to be withdrawn has made its file one to prune.
        var pruned = prunes
            ? await StepAsync(
                "end",
                keys => ReplicaTransitions.PruneAsync(connection, node, keys, NotWantedByPolicy, cancellationToken)
            )
            : null;
        foreach (var key in (withdrawn ?? []).Concat(pruned?.Pruned ?? []))
        {
            database.Notifications.Send(ReplicaNotifications.Ended, new EndedReplica(node, key));
        }

        return new PolicyEffect(
            page.Count,
            wanted?.Count ?? 0,
            withdrawn?.Count ?? 0,
            pruned?.Pruned.Count ?? 0,
            pruned?.Kept.Count ?? 0,
            pruned is null ? [] : [.. pruned.Kept.Take(PolicyEffect.MostKeptKeys)]
        );

        async Task<T?> StepAsync<T>(string step, Func<IReadOnlyCollection<FileKey>, Task<T>> write)
        {
            var keys = page.Where(file => file.Step == step).Select(file => new FileKey(file.Key)).ToList();
            return keys.Count == 0 ? default : await InTransactionAsync(connection, () => write(keys), cancellationToken);
        }
    }

    private static Task<T> InTransactionAsync<T>(
        NpgsqlConnection connection,
        Func<Task<T>> write,
        CancellationToken cancellationToken
    ) =>
        Deadlocks.RetryAsync(async () =>
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var result = await write();
            await transaction.CommitAsync(cancellationToken);
            return result;
        });
}
