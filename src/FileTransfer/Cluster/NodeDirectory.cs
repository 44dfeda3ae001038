using Dapper;
using FileTransfer.Catalog;
using FileTransfer.Identity;
using FileTransfer.Postgres;

namespace FileTransfer.Cluster;

/// <summary>A node that has joined the cluster at some time.</summary>
/// <param name="IsAlive">It was heard of within <see cref="NodeLiveness.SilentFor"/>.</param>
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
        const string sql = $"""
            SELECT node_id, configured_role, url, started_at, seen_at, {NodeLiveness.IsHeardOf}
            FROM filetransfer.nodes n ORDER BY node_id
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(
            string Node,
            string Role,
            string Url,
            DateTime Started,
            DateTime Seen,
            bool Alive
        )>(new CommandDefinition(sql, cancellationToken: cancellationToken));
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

    /// <summary>Where a node answers, and the name of the run of its process that said so; null when it is not of this cluster.</summary>
    public async Task<(Uri Url, string Instance)?> AddressOfAsync(NodeId node, CancellationToken cancellationToken)
    {
        const string sql = "SELECT url, instance::text FROM filetransfer.nodes WHERE node_id = @node";
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<(string Url, string Instance)?>(
            new CommandDefinition(sql, new { node = node.Value }, cancellationToken: cancellationToken)
        );
        return row is var (url, instance) ? (new Uri(url), instance) : null;
    }
}
