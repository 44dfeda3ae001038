using Dapper;
using FileTransfer.Identity;
using FileTransfer.Postgres;

namespace FileTransfer.Cluster;

/// <summary>A node that has joined the cluster at some time.</summary>
/// <param name="IsAlive">It was heard of within <see cref="NodePresence.SilentFor"/>.</param>
public sealed record NodeRecord(
    NodeId Node,
    string ConfiguredRole,
    Uri Url,
    DateTimeOffset StartedAt,
    DateTimeOffset SeenAt,
    bool IsAlive
);

/// <summary>The nodes of the cluster.</summary>
public sealed class NodeDirectory(Database database)
{
    public async Task<IReadOnlyList<NodeRecord>> AllAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT node_id, configured_role, url, started_at, seen_at, seen_at >= now() - @silentFor
            FROM filetransfer.nodes ORDER BY node_id
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(
            string Node,
            string Role,
            string Url,
            DateTime Started,
            DateTime Seen,
            bool Alive
        )>(new CommandDefinition(sql, new { silentFor = NodePresence.SilentFor }, cancellationToken: cancellationToken));
        return rows.Select(row => new NodeRecord(
                new NodeId(row.Node),
                row.Role,
                new Uri(row.Url),
                row.Started,
                row.Seen,
                row.Alive
            ))
            .ToList();
    }
}
