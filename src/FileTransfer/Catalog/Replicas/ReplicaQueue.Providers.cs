using FileTransfer.Catalog.Providers;

namespace FileTransfer.Catalog.Replicas;

/// <content>Where else a claimed file is: asked for with the claim, and again while its download runs.</content>
public sealed partial class ReplicaQueue
{
    /// <summary>Joins to a replica <c>r</c> the columns that <see cref="ReadProviders"/> reads.</summary>
    /// <remarks>
    /// Of many providers the newer are named more often: they are idle. Some older must be among them, or nobody would find those that are
    /// idle again, and a content would spread from the same sixteen for ever.
    /// </remarks>
    private static string WithProviders =>
        $"""
            CROSS JOIN LATERAL (
                SELECT array_agg(node_id) AS nodes, array_agg(leads) AS leads, array_agg(url) AS urls, array_agg(instance) AS instances FROM (
                    SELECT n.node_id, l.node_id IS NOT NULL AS leads, n.url, n.instance
                    FROM filetransfer.replicas source
                    JOIN filetransfer.nodes n ON n.node_id = source.node_id
                    LEFT JOIN filetransfer.leader l ON l.node_id = n.node_id
                    WHERE source.file_key = r.file_key AND source.state = 'stored' AND source.node_id <> r.node_id
                    ORDER BY NOT {NodeLiveness.IsHeardOf}, (clock_timestamp() - source.changed_at) * random()
                    LIMIT {FileProviders.Most}
                ) provider
            ) providers CROSS JOIN LATERAL (
                SELECT count(*)::integer AS competing_nodes
                FROM filetransfer.replicas competing JOIN filetransfer.nodes n ON n.node_id = competing.node_id
                WHERE competing.file_key = r.file_key AND competing.state IN ('wanted', 'downloading')
                  AND competing.node_id <> r.node_id AND {NodeLiveness.IsHeardOf}
            ) competition
            """;

    private const string ProviderColumns = "nodes, leads, urls, instances, competing_nodes";

    private static readonly string _progress = $"""
        WITH mine AS (
            UPDATE filetransfer.replicas r SET bytes_proven = @proven
            WHERE {Mine} AND r.state = 'downloading' AND {Held}
            RETURNING r.node_id, r.file_key
        )
        SELECT {ProviderColumns} FROM mine r {WithProviders}
        """;

    /// <summary>Tells how far the download is, and where else the file is by now.</summary>
    /// <returns>Null when the claim has ended for this caller, and the download must stop.</returns>
    public Task<FileProviders?> ReportProgressAsync(
        LockConnection session,
        ClaimedReplica claim,
        long bytesProven,
        CancellationToken cancellationToken
    ) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(_progress, connection);
                Bind(
                    command.Parameters,
                    ("node", node.Value),
                    ("key", claim.Key.ToArray()),
                    ("epoch", claim.Epoch),
                    ("proven", bytesProven)
                );
                await using var reader = await command.ExecuteReaderAsync(token);
                return await reader.ReadAsync(token) ? ReadProviders(reader, 0) : null;
            },
            cancellationToken
        );

    /// <summary>Reads <see cref="ProviderColumns"/>, of which the first is <paramref name="column"/>.</summary>
    private static FileProviders ReadProviders(NpgsqlDataReader reader, int column)
    {
        var nodes = new List<ContentProvider>();
        if (!reader.IsDBNull(column))
        {
            var ids = reader.GetFieldValue<string[]>(column);
            var leads = reader.GetFieldValue<bool[]>(column + 1);
            var urls = reader.GetFieldValue<string[]>(column + 2);
            var instances = reader.GetFieldValue<Guid[]>(column + 3);
            nodes.AddRange(
                ids.Select((id, i) => new ContentProvider(new NodeId(id), leads[i], new Uri(urls[i]), instances[i].ToString()))
            );
        }

        return new FileProviders(nodes, reader.GetInt32(column + 4));
    }
}
