using Dapper;
using FileTransfer.Catalog.Providers;
using FileTransfer.Identity;
using FileTransfer.Postgres;
using Npgsql;

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

/// <summary>What came of taking a node out.</summary>
public enum NodeRemovalOutcome
{
    Removed,
    Unknown,
    Alive,
}

/// <summary>The nodes of the cluster.</summary>
public sealed class NodeDirectory(Database database, ThisNode here)
{
    /// <summary>The ids of all nodes, in order.</summary>
    public static async Task<IReadOnlyList<string>> NamesAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    ) =>
        [
            .. await connection.QueryAsync<string>(
                new CommandDefinition(
                    "SELECT node_id FROM filetransfer.nodes ORDER BY node_id",
                    cancellationToken: cancellationToken
                )
            ),
        ];

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

    /// <summary>
    /// Takes a node out of the directory, in the caller's transaction, which keeps it from joining until it ends. A node is alive as long as its
    /// process holds the node's own lock, whatever any clock says.
    /// </summary>
    internal async Task<NodeRemovalOutcome> RemoveAsync(
        NpgsqlConnection connection,
        NodeId node,
        CancellationToken cancellationToken
    )
    {
        const string known = "SELECT true FROM filetransfer.nodes WHERE node_id = @node FOR UPDATE";
        var parameters = new { node = node.Value, @lock = ClusterMembership.LockOf(here.ClusterId, node).Value };
        if (
            !await connection.QuerySingleOrDefaultAsync<bool>(
                new CommandDefinition(known, parameters, cancellationToken: cancellationToken)
            )
        )
        {
            return NodeRemovalOutcome.Unknown;
        }

        // The lock in a statement of its own: within the one that deletes it would be asked for each row that is looked at.
        const string take = "SELECT pg_try_advisory_xact_lock(@lock)";
        if (
            !await connection.QuerySingleAsync<bool>(
                new CommandDefinition(take, parameters, cancellationToken: cancellationToken)
            )
        )
        {
            return NodeRemovalOutcome.Alive;
        }

        const string remove = "DELETE FROM filetransfer.nodes WHERE node_id = @node";
        await connection.ExecuteAsync(new CommandDefinition(remove, parameters, cancellationToken: cancellationToken));
        return NodeRemovalOutcome.Removed;
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
