using FileTransfer.Cluster;

namespace FileTransfer.Feed.Changes;

/// <summary>What happens in the cluster besides changes of files, as it follows from what the catalog says now and what was told of it last.</summary>
/// <remarks>So nothing of it need be written down when it happens. What came and went between two looks is not told.</remarks>
public sealed class ClusterEvents(Database database, ThisNode node)
{
    /// <summary>Failures that are told together.</summary>
    public const int Most = 20;

    /// <summary>Failures are told in the order of their times, which they have before they are committed; none takes so long to be.</summary>
    private static readonly TimeSpan _settled = TimeSpan.FromSeconds(2);

    /// <param name="told">Null for who is told what comes from now on.</param>
    /// <returns>What is new, and what to give the next time.</returns>
    public async Task<(IReadOnlyList<ClusterEventResource> Events, ToldEvents Told)> ReadAsync(
        ToldEvents? told,
        CancellationToken cancellationToken
    )
    {
        const string leader =
            "SELECT node_id, epoch, since, clock_timestamp() FROM filetransfer.leader WHERE node_id IS NOT NULL";
        var (leads, epoch, since, now) = await database.QuerySingleAsync<(string, long, DateTimeOffset, DateTimeOffset)>(
            leader,
            null,
            cancellationToken
        );
        var behind = await BehindAsync(cancellationToken);
        if (told is null)
        {
            return ([], new ToldEvents(epoch, now, "", "", behind));
        }

        var failed = await FailedAsync(told, cancellationToken);
        List<ClusterEventResource> events =
        [
            .. epoch > told.LeaderEpoch
                ? [new ClusterEventResource(ClusterEventResource.LeaderChanged, leads, since)]
                : Array.Empty<ClusterEventResource>(),
            .. failed,
            .. told.Behind.Except(behind).Select(one => new ClusterEventResource(ClusterEventResource.InStep, one, now)),
        ];
        var last = failed.Count > 0 ? failed[^1] : null;
        return (
            events,
            new ToldEvents(epoch, last?.At ?? told.FailedAt, last?.Node ?? told.FailedNode, last?.Key ?? told.FailedKey, behind)
        );
    }

    public ClusterEventsResource Describe(IReadOnlyList<ClusterEventResource> events) => new(node.ClusterId, events);

    /// <summary>The nodes that have not read all of the feed, or lack files that they want; what has failed is told by itself.</summary>
    private async Task<IReadOnlyList<string>> BehindAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT n.node_id FROM filetransfer.nodes n
            WHERE EXISTS (
                SELECT FROM filetransfer.bins b
                LEFT JOIN filetransfer.feed_positions p ON p.node_id = n.node_id AND p.bin = b.bin
                WHERE b.head > coalesce(p.sequence, 0)
            )
            OR EXISTS (SELECT FROM filetransfer.replicas r WHERE r.node_id = n.node_id AND state = 'wanted' AND next_attempt_at IS NULL)
            OR EXISTS (SELECT FROM filetransfer.replicas r WHERE r.node_id = n.node_id AND state = 'wanted' AND next_attempt_at IS NOT NULL)
            OR EXISTS (SELECT FROM filetransfer.replicas r WHERE r.node_id = n.node_id AND state = 'downloading')
            ORDER BY n.node_id
            """;
        return await database.QueryAsync<string>(sql, null, cancellationToken);
    }

    private async Task<IReadOnlyList<ClusterEventResource>> FailedAsync(ToldEvents told, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT r.node_id, r.changed_at, r.file_key, f.bucket, f.location, r.reason FROM filetransfer.nodes n
            CROSS JOIN LATERAL (
                SELECT * FROM filetransfer.replicas
                WHERE node_id = n.node_id AND state = 'failed' AND changed_at >= @at
                  AND changed_at < clock_timestamp() - @settled AND (changed_at, node_id, file_key) > (@at, @node, @key)
                ORDER BY changed_at, file_key LIMIT @most
            ) r JOIN filetransfer.files f USING (file_key)
            ORDER BY r.changed_at, r.node_id, r.file_key LIMIT @most
            """;
        var parameters = new
        {
            at = told.FailedAt,
            node = told.FailedNode,
            key = FileKey.TryParse(told.FailedKey, out var last) ? last.ToArray() : [],
            settled = _settled,
            most = Most,
        };
        var rows = await database.QueryAsync<(
            string Node,
            DateTimeOffset At,
            FileKey Key,
            ByteString Bucket,
            ByteString Location,
            string? Reason
        )>(sql, parameters, cancellationToken);
        return
        [
            .. rows.Select(row => new ClusterEventResource(
                ClusterEventResource.Failed,
                row.Node,
                row.At,
                row.Key.ToString(),
                row.Bucket.ToString(),
                row.Location.AsUtf8(),
                row.Reason
            )),
        ];
    }
}

/// <summary>What was told last: the leader's epoch, the newest failure, and who was behind.</summary>
public sealed record ToldEvents(
    long LeaderEpoch,
    DateTimeOffset FailedAt,
    string FailedNode,
    string FailedKey,
    IReadOnlyList<string> Behind
);

[JsonSerializable(typeof(ToldEvents))]
internal sealed partial class ToldEventsJson : JsonSerializerContext;
