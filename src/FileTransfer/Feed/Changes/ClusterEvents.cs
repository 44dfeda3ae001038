using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;

namespace FileTransfer.Feed.Changes;

/// <summary>What happens in the cluster besides changes of files, as it follows from what the catalog says now and what was told of it last.</summary>
/// <remarks>So nothing of it need be written down when it happens. What came and went between two looks is not told.</remarks>
public sealed class ClusterEvents(
    Database database,
    ReplicaTable replicas,
    Leadership leadership,
    ThisNode node,
    TimeProvider time
)
{
    /// <summary>Failures that are told together.</summary>
    public const int Most = 20;

    /// <param name="told">Null for who is told what comes from now on.</param>
    /// <returns>What is new, and what to give the next time.</returns>
    public async Task<(IReadOnlyList<ClusterEventResource> Events, ToldEvents Told)> ReadAsync(
        ToldEvents? told,
        CancellationToken cancellationToken
    )
    {
        var leader = await leadership.FindLeaderAsync(cancellationToken) ?? throw new NotLeadingException();
        var behind = await BehindAsync(cancellationToken);
        if (told is null)
        {
            var now = await database.QuerySingleAsync<DateTimeOffset>("SELECT clock_timestamp()", null, cancellationToken);
            return ([], new ToldEvents(leader.Epoch, now, "", "", behind));
        }

        var failures = await replicas.FailuresAfterAsync(
            told.FailedAt,
            told.FailedNode,
            FileKey.TryParse(told.FailedKey, out var lastKey) ? lastKey : null,
            Most,
            cancellationToken
        );
        List<ClusterEventResource> events = [];
        if (leader.Epoch > told.LeaderEpoch)
        {
            events.Add(new ClusterEventResource(ClusterEventResource.LeaderChanged, leader.Node.Value, leader.Since));
        }

        events.AddRange(failures.Select(Describe));
        events.AddRange(
            told.Behind.Except(behind)
                .Select(caughtUp => new ClusterEventResource(ClusterEventResource.InStep, caughtUp, time.GetUtcNow()))
        );
        return (
            events,
            failures is [.., var last]
                ? new ToldEvents(leader.Epoch, last.At, last.Node, last.Key.ToString(), behind)
                : told with
                {
                    LeaderEpoch = leader.Epoch,
                    Behind = behind,
                }
        );
    }

    public ClusterEventsResource Describe(IReadOnlyList<ClusterEventResource> events) => new(node.ClusterId, events);

    private static ClusterEventResource Describe(ReplicaFailure failure) =>
        new(
            ClusterEventResource.Failed,
            failure.Node,
            failure.At,
            failure.Key.ToString(),
            failure.Bucket.ToString(),
            failure.Location.AsUtf8(),
            failure.Reason
        );

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
            """;
        var reading = await database.QueryAsync<string>(sql, null, cancellationToken);
        return [.. reading.Union(await replicas.LackingNodesAsync(cancellationToken)).Order(StringComparer.Ordinal)];
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
