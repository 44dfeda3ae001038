using Dapper;
using FileTransfer.Catalog.Providers;
using FileTransfer.Identity;

namespace FileTransfer.Catalog.Replicas;

/// <summary>A node that has a file stored, and where it answers.</summary>
public sealed record FileHolder(NodeId Node, Uri Url);

/// <content>Who else has a file.</content>
public sealed partial class ReplicaTable
{
    /// <summary>Other nodes that have it stored and were heard of lately, at most 16.</summary>
    public async Task<IReadOnlyList<FileHolder>> HoldersOfAsync(NodeId here, FileKey key, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT n.node_id, n.url
            FROM filetransfer.replicas r
            JOIN filetransfer.nodes n ON n.node_id = r.node_id
            WHERE r.file_key = @key AND r.state = 'stored' AND r.node_id <> @here
              AND {NodeLiveness.IsHeardOf}
            ORDER BY n.node_id LIMIT 16
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(string Node, string Url)>(
            new CommandDefinition(sql, new { key = key.ToArray(), here = here.Value }, cancellationToken: cancellationToken)
        );
        return [.. rows.Select(row => new FileHolder(new NodeId(row.Node), new Uri(row.Url)))];
    }

    /// <summary>The nodes that have no replica of the file because their policy does not want it.</summary>
    public async Task<IReadOnlyList<NodeId>> NotWantedAtAsync(FileRecord file, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT n.node_id FROM filetransfer.nodes n
            WHERE NOT filetransfer.policy_wants(n.node_id, @bucket, @location)
              AND NOT EXISTS (SELECT FROM filetransfer.replicas r WHERE r.node_id = n.node_id AND r.file_key = @key)
            ORDER BY n.node_id
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<string>(
            new CommandDefinition(
                sql,
                new
                {
                    key = file.Key.ToArray(),
                    bucket = file.Metadata.Bucket.ToArray(),
                    location = file.Metadata.Location.ToArray(),
                },
                cancellationToken: cancellationToken
            )
        );
        return [.. rows.Select(id => new NodeId(id))];
    }
}
