using FileTransfer.Catalog.Providers;

namespace FileTransfer.Cluster;

/// <param name="IsAlive">It was heard of within <see cref="NodeLiveness.IsHeardOf"/>.</param>
/// <param name="PublicKeys">The one that it signs with, and the one that it did before; none before it has joined with a program that has them.</param>
/// <param name="Fault">Why its row is none of a node; null where it is one.</param>
public sealed record NodeRecord(
    NodeId Node,
    string ConfiguredRole,
    Uri Url,
    DateTimeOffset StartedAt,
    DateTimeOffset SeenAt,
    bool IsAlive,
    IReadOnlyList<string> PublicKeys,
    string? Fault = null
);

public enum NodeRemovalOutcome
{
    Removed,
    Unknown,
    Alive,
}

public sealed class NodeDirectory(Database database, ThisNode here)
{
    public static async Task<IReadOnlyList<string>> NamesAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    ) =>
        [
            .. await connection.QueryAsync<string>(
                "SELECT node_id FROM filetransfer.nodes ORDER BY node_id",
                null,
                cancellationToken
            ),
        ];

    /// <summary>The lock that the one process of a node holds while it has joined.</summary>
    internal static AdvisoryLockKey LockOf(string clusterId, NodeId node) =>
        AdvisoryLockKey.FromName($"filetransfer node {clusterId} {node}");

    /// <summary>This node joins, as a run of its process.</summary>
    internal Task RegisterAsync(
        NpgsqlConnection connection,
        Guid instance,
        DateTimeOffset startedAt,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            INSERT INTO filetransfer.nodes (node_id, configured_role, url, instance, started_at, seen_at, presence_lock)
            VALUES (@node, @role, @url, @instance, @startedAt, now(), @presenceLock)
            ON CONFLICT (node_id) DO UPDATE
                SET configured_role = EXCLUDED.configured_role, url = EXCLUDED.url, instance = EXCLUDED.instance,
                    started_at = EXCLUDED.started_at, seen_at = now(), presence_lock = EXCLUDED.presence_lock
            """;
        return connection.ExecuteAsync(
            sql,
            new
            {
                node = here.Id.Value,
                role = here.Role.ToString().ToLowerInvariant(),
                url = here.Url.OriginalString,
                instance,
                startedAt = startedAt.UtcDateTime,
                presenceLock = LockOf(here.ClusterId, here.Id).Value,
            },
            cancellationToken
        );
    }

    /// <summary>This node is alive.</summary>
    /// <param name="connection">Of the node's session.</param>
    /// <param name="instance">The run of its process.</param>
    /// <param name="beside">SQL that runs with it, before it in the statement.</param>
    /// <param name="questions">SQL for an array of answers that are read with it.</param>
    /// <param name="heads">Of the <see cref="CatalogLook"/> that is read with it.</param>
    /// <param name="cancellationToken">Leaves all as it was.</param>
    /// <returns>The catalog, what time it is there, and the answers; null when another run of the node has joined since.</returns>
    internal async Task<(CatalogLook Look, DateTime Now, bool[] Answers)?> BeatAsync(
        NpgsqlConnection connection,
        Guid instance,
        string beside,
        string questions,
        IReadOnlyList<long> heads,
        CancellationToken cancellationToken
    )
    {
        var sql = $"""
            {beside}
            UPDATE filetransfer.nodes SET seen_at = now() WHERE node_id = @node AND instance = @instance
            RETURNING {CatalogLook.Columns}, clock_timestamp() AS there, {questions} AS answers
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("node", here.Id.Value), new("instance", instance), new("heads", heads.ToArray()) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (CatalogLook.Read(reader), (DateTime)reader["there"], (bool[])reader["answers"])
            : null;
    }

    public async Task<IReadOnlyList<NodeRecord>> AllAsync(CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT node_id, configured_role, url, started_at, seen_at, {NodeLiveness.IsHeardOf}, public_keys
            FROM filetransfer.nodes n ORDER BY node_id
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(
            string Node,
            string Role,
            string Url,
            DateTime Started,
            DateTime Seen,
            bool Alive,
            string[] Keys
        )>(sql, null, cancellationToken);
        return rows.Select(row =>
            {
                var fault = FaultOf(row.Node, row.Url);
                if (fault is not null)
                {
                    database.FaultyRows.Tell("nodes", row.Node, fault);
                }

                return new NodeRecord(
                    NodeId.OfRow(row.Node),
                    row.Role,
                    WrittenUrl.Read(row.Url) ?? WrittenUrl.None,
                    row.Started,
                    row.Seen,
                    row.Alive,
                    row.Keys,
                    fault
                );
            })
            .ToList();
    }

    private static string? FaultOf(string node, string url) =>
        NodeId.FromText(node) is null ? $"'{FaultyRows.Shown(node)}' is no node id"
        : WrittenUrl.Read(url) is null ? $"'{FaultyRows.Shown(url)}' is no address"
        : null;

    /// <summary>Removes a node in the caller's transaction, which keeps it from joining. A node whose process holds its lock is alive.</summary>
    internal async Task<NodeRemovalOutcome> RemoveAsync(
        NpgsqlConnection connection,
        NodeId node,
        CancellationToken cancellationToken
    )
    {
        const string known = "SELECT true FROM filetransfer.nodes WHERE node_id = @node FOR UPDATE";
        var parameters = new { node = node.Value, @lock = LockOf(here.ClusterId, node).Value };
        if (!await connection.QuerySingleOrDefaultAsync<bool>(known, parameters, cancellationToken))
        {
            return NodeRemovalOutcome.Unknown;
        }

        // The lock in a statement of its own: within the one that deletes it would be asked for each row that is looked at.
        const string take = "SELECT pg_try_advisory_xact_lock(@lock)";
        if (!await connection.QuerySingleAsync<bool>(take, parameters, cancellationToken))
        {
            return NodeRemovalOutcome.Alive;
        }

        const string remove = "DELETE FROM filetransfer.nodes WHERE node_id = @node";
        await connection.ExecuteAsync(remove, parameters, cancellationToken);
        return NodeRemovalOutcome.Removed;
    }

    /// <summary>Whether a node is being emptied, and since when; null when it is not of this cluster.</summary>
    public async Task<(NodeId Node, DateTimeOffset? Since)?> FindEvacuationAsync(
        NodeId node,
        CancellationToken cancellationToken
    ) =>
        (
            await database.QueryAsync<(NodeId, DateTimeOffset?)>(
                "SELECT node_id, evacuating_since FROM filetransfer.nodes WHERE node_id = @node",
                new { node },
                cancellationToken
            )
        )
            is [var found]
            ? found
            : null;

    /// <returns>False when it is not of this cluster.</returns>
    public async Task<bool> SetEvacuatingAsync(NodeId node, bool isEvacuating, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            """
            UPDATE filetransfer.nodes SET evacuating_since = CASE WHEN @isEvacuating THEN coalesce(evacuating_since, now()) END
            WHERE node_id = @node
            """,
            new { node, isEvacuating },
            cancellationToken
        ) > 0;

    /// <summary>Where a node answers, and the name of the run of its process that said so; null when it is not of this cluster.</summary>
    public async Task<(Uri Url, string Instance)?> AddressOfAsync(NodeId node, CancellationToken cancellationToken)
    {
        const string sql = "SELECT url, instance::text FROM filetransfer.nodes WHERE node_id = @node";
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<(string Url, string Instance)?>(
            sql,
            new { node = node.Value },
            cancellationToken
        );
        return row is var (written, instance) && WrittenUrl.Read(written) is { } url ? (url, instance) : null;
    }
}
