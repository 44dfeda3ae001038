using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Trust;

/// <summary>What the database has of keys: owner of <c>filetransfer.trust</c> and <c>filetransfer.key_rotations</c>.</summary>
public sealed class TrustStore(Database database, ThisNode here)
{
    private const string ForgetRotations =
        "DELETE FROM filetransfer.key_rotations WHERE node_id = @node AND (@cluster = '' OR cluster_id = @cluster)";

    /// <summary>What a person has listed or revoked, and the nodes that have joined, by their own rows.</summary>
    public async Task<IReadOnlyList<TrustEntry>> EntriesAsync(CancellationToken cancellationToken)
    {
        const string stored = "SELECT node_id, cluster_id, public_key, changed_at, changed_by FROM filetransfer.trust";
        const string members = "SELECT node_id, array_to_string(public_keys, ' ') FROM filetransfer.nodes";
        var said = await database.QueryAsync<(string Node, string Cluster, string? Key, DateTimeOffset At, string By)>(
            stored,
            null,
            cancellationToken
        );
        var joined = await database.QueryAsync<(string Node, string Keys)>(members, null, cancellationToken);
        return
        [
            .. said.Where(row => IsNode("trust", row.Node))
                .Select(row => new TrustEntry(
                    new NodeId(row.Node),
                    row.Cluster.Length > 0 ? row.Cluster : null,
                    KeysOf(row.Key ?? ""),
                    TrustOrigin.Stored,
                    row.At,
                    row.By
                )),
            .. joined
                .Where(row => IsNode("nodes", row.Node))
                .Select(row => new TrustEntry(new NodeId(row.Node), here.ClusterId, KeysOf(row.Keys), TrustOrigin.Member))
                .Where(entry => entry.Keys.Count > 0),
        ];
    }

    public async Task<IReadOnlyList<KeyRotation>> RotationsAsync(CancellationToken cancellationToken)
    {
        const string sql = "SELECT cluster_id, node_id, former_key, public_key, signature FROM filetransfer.key_rotations";
        var rows = await database.QueryAsync<(string Cluster, string Node, string Former, string Next, byte[] Signature)>(
            sql,
            null,
            cancellationToken
        );
        return
        [
            .. rows.SelectMany(row =>
                PeerName.FromText($"{row.Cluster}/{row.Node}") is { } name
                && PublicKey.FromText(row.Former) is { } former
                && PublicKey.FromText(row.Next) is { } next
                    ? [new KeyRotation(name, former, next, row.Signature)]
                    : Array.Empty<KeyRotation>()
            ),
        ];
    }

    /// <summary>A key hands over once: the first that says so counts.</summary>
    public Task AddAsync(KeyRotation rotation, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO filetransfer.key_rotations (cluster_id, node_id, former_key, public_key, signature)
            VALUES (@cluster, @node, @former, @next, @signature)
            ON CONFLICT (cluster_id, node_id, former_key) DO NOTHING
            """;
        var parameters = new
        {
            cluster = rotation.Name.Cluster,
            node = rotation.Name.Node.Value,
            former = rotation.Former.ToString(),
            next = rotation.Next.ToString(),
            signature = rotation.Signature,
        };
        return database.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>Lists a key in place of all that was said of the node. Rotations of before are forgotten.</summary>
    public Task PutAsync(NodeId node, string? cluster, PublicKey key, string by, CancellationToken cancellationToken)
    {
        const string sql = $"""
            {ForgetRotations};
            INSERT INTO filetransfer.trust (node_id, cluster_id, public_key, changed_by) VALUES (@node, @cluster, @key, @by)
            ON CONFLICT (node_id, cluster_id) DO UPDATE
                SET public_key = EXCLUDED.public_key, changed_at = clock_timestamp(), changed_by = EXCLUDED.changed_by
            """;
        var parameters = new
        {
            node = node.Value,
            cluster = cluster ?? "",
            key = key.ToString(),
            by,
        };
        return database.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>Forgets what was said of a node, in one cluster or, where that is null, in all.</summary>
    /// <param name="revokes">Something else lists it: that it does not count is kept.</param>
    public Task RemoveAsync(NodeId node, string? cluster, bool revokes, string by, CancellationToken cancellationToken)
    {
        const string sql = $"""
            {ForgetRotations};
            DELETE FROM filetransfer.trust WHERE node_id = @node AND (@cluster = '' OR cluster_id = @cluster);
            INSERT INTO filetransfer.trust (node_id, cluster_id, changed_by) SELECT @node, @cluster, @by WHERE @revokes
            """;
        var parameters = new
        {
            node = node.Value,
            cluster = cluster ?? "",
            revokes,
            by,
        };
        return database.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>What this node signs with, for all who read its row.</summary>
    public Task PublishAsync(IReadOnlyList<PublicKey> keys, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            "UPDATE filetransfer.nodes SET public_keys = @keys WHERE node_id = @node",
            new { node = here.Id.Value, keys = keys.Select(key => key.ToString()).ToArray() },
            cancellationToken
        );

    private bool IsNode(string table, string id)
    {
        if (NodeId.FromText(id) is not null)
        {
            return true;
        }

        database.FaultyRows.Tell(table, id, "its node id is none; no key of it counts");
        return false;
    }

    /// <summary>What is no key counts for none.</summary>
    private static IReadOnlyList<PublicKey> KeysOf(string texts) =>
        [.. texts.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(PublicKey.FromText).OfType<PublicKey>()];
}
