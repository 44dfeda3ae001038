using FileTransfer.Catalog.Providers;

namespace FileTransfer.Catalog.Replicas;

/// <summary>A node that has a file stored, and where it answers.</summary>
public sealed record FileHolder(NodeId Node, Uri Url);

/// <content>Which contents this node's files refer to, and which nodes have a file.</content>
public sealed partial class ReplicaTable
{
    /// <summary>Whether a file of this node has this content stored, or in the trash.</summary>
    public Task<bool> KeepsAsync(NodeId node, Fingerprint fingerprint, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT EXISTS (
                SELECT FROM filetransfer.files f JOIN filetransfer.replicas r ON r.file_key = f.file_key
                WHERE f.fingerprint = @fingerprint AND r.node_id = @node AND (r.state = 'stored' OR ({ReplicaSql.IsInTrash}))
            )
            """;
        return database.QuerySingleAsync<bool>(sql, new { node, fingerprint }, cancellationToken);
    }

    /// <summary>Those of the contents that a file of this node refers to, in whatever state its replica is, except one that is being removed.</summary>
    public async Task<IReadOnlySet<Fingerprint>> ReferredToAsync(
        NodeId node,
        IReadOnlyCollection<Fingerprint> contents,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            SELECT DISTINCT f.fingerprint
            FROM filetransfer.files f JOIN filetransfer.replicas r ON r.file_key = f.file_key
            WHERE f.fingerprint = ANY(@contents) AND r.node_id = @node AND NOT ({ReplicaSql.IsRemoving})
            """;
        var parameters = new { node, contents = contents.Select(content => content.ToArray()).ToArray() };
        return (await database.QueryAsync<Fingerprint>(sql, parameters, cancellationToken)).ToHashSet();
    }

    /// <summary>Other nodes that have it stored and were heard of lately, at most 16.</summary>
    public async Task<IReadOnlyList<FileHolder>> HoldersOfAsync(NodeId here, FileKey key, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT n.node_id, n.url
            FROM filetransfer.replicas r JOIN filetransfer.nodes n ON n.node_id = r.node_id
            WHERE r.file_key = @key AND r.state = 'stored' AND r.node_id <> @here AND {NodeLiveness.IsHeardOf}
            ORDER BY n.node_id LIMIT 16
            """;
        var rows = await database.QueryAsync<(NodeId Node, string Url)>(sql, new { key, here }, cancellationToken);
        return
        [
            .. rows.Select(row => WrittenUrl.Read(row.Url) is { } url ? new FileHolder(row.Node, url) : null)
                .OfType<FileHolder>(),
        ];
    }

    /// <summary>The nodes that have no replica of the file because their policy does not want it.</summary>
    public Task<IReadOnlyList<NodeId>> NotWantedAtAsync(FileRecord file, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT n.node_id FROM filetransfer.nodes n
            WHERE NOT filetransfer.policy_wants(n.node_id, @bucket, @location)
              AND NOT EXISTS (SELECT FROM filetransfer.replicas r WHERE r.node_id = n.node_id AND r.file_key = @key)
            ORDER BY n.node_id
            """;
        var parameters = new
        {
            file.Key,
            file.Metadata.Bucket,
            file.Metadata.Location,
        };
        return database.QueryAsync<NodeId>(sql, parameters, cancellationToken);
    }
}
