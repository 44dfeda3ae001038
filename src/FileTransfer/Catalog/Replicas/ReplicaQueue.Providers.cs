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
                    WHERE source.file_key = r.file_key AND source.state = 'stored' AND source.node_id <> r.node_id AND {IsToBeAsked}
                    ORDER BY NOT {NodeLiveness.IsHeardOf}, (clock_timestamp() - source.changed_at) * random()
                    LIMIT {FileProviders.Most}
                ) provider
            ) providers CROSS JOIN LATERAL (
                SELECT count(*)::integer AS competing_nodes
                FROM filetransfer.replicas competing JOIN filetransfer.nodes n ON n.node_id = competing.node_id
                WHERE competing.file_key = r.file_key AND competing.state IN ('wanted', 'downloading')
                  AND competing.node_id <> r.node_id AND {NodeLiveness.IsHeardOf}
            ) competition CROSS JOIN LATERAL (
                SELECT array_agg(u.upstream) AS upstreams FROM filetransfer.upstream_files u
                WHERE u.file_key = r.file_key AND u.kept_since IS NULL
            ) outside
            """;

    /// <summary>A node <c>n</c> that is emptied is asked only for what nobody else has who is heard of.</summary>
    private const string IsToBeAsked = $"""
        (n.evacuating_since IS NULL OR NOT EXISTS (
            SELECT FROM filetransfer.replicas better JOIN filetransfer.nodes n ON n.node_id = better.node_id
            WHERE better.file_key = r.file_key AND better.state = 'stored' AND better.node_id <> r.node_id
              AND n.evacuating_since IS NULL AND {NodeLiveness.IsHeardOf}
        ))
        """;

    /// <summary>Joins to a replica <c>r</c> some other nodes that download the file: each node has its own, so that all hang together.</summary>
    private static string WithFellows =>
        $"""
            CROSS JOIN LATERAL (
                SELECT array_agg(node_id) AS fellows, array_agg(url) AS fellow_urls, array_agg(instance) AS fellow_instances FROM (
                    SELECT n.node_id, n.url, n.instance
                    FROM filetransfer.replicas fellow JOIN filetransfer.nodes n ON n.node_id = fellow.node_id
                    WHERE fellow.file_key = r.file_key AND fellow.state = 'downloading' AND fellow.node_id <> r.node_id
                      AND {NodeLiveness.IsHeardOf}
                    ORDER BY hashtext(n.node_id || ' ' || r.node_id)
                    LIMIT {FileProviders.MostFellows}
                ) fellow
            ) fellows
            """;

    private const string ProviderColumns = "nodes, leads, urls, instances, competing_nodes, upstreams";

    private static readonly string _progress = $"""
        WITH mine AS (
            UPDATE filetransfer.replicas r SET bytes_proven = @proven
            WHERE {Mine} AND r.state = 'downloading' AND {Held}
            RETURNING r.node_id, r.file_key
        )
        SELECT {ProviderColumns}, fellows, fellow_urls, fellow_instances FROM mine r {WithProviders} {WithFellows}
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

    /// <summary>Reads <see cref="ProviderColumns"/>, of which the first is <paramref name="column"/>, and fellows where they follow.</summary>
    private static FileProviders ReadProviders(NpgsqlDataReader reader, int column)
    {
        var fellows = column + 6;
        return new FileProviders(
            ReadNodes(reader, column, column + 2, column + 1),
            reader.GetInt32(column + 4),
            reader.FieldCount > fellows && reader.GetName(fellows) == "fellows" ? ReadNodes(reader, fellows, fellows + 1) : []
        )
        {
            Upstreams = reader.IsDBNull(column + 5) ? [] : reader.GetFieldValue<string[]>(column + 5),
        };
    }

    /// <param name="urls">The column of their addresses; that of their instances follows it.</param>
    /// <param name="leads">The column that says who leads; null where that does not matter.</param>
    private static IReadOnlyList<ContentProvider> ReadNodes(NpgsqlDataReader reader, int nodes, int urls, int? leads = null)
    {
        if (reader.IsDBNull(nodes))
        {
            return [];
        }

        var lead = leads is { } column ? reader.GetFieldValue<bool[]>(column) : null;
        return
        [
            .. reader
                .GetFieldValue<string[]>(nodes)
                .Zip(reader.GetFieldValue<string[]>(urls), reader.GetFieldValue<Guid[]>(urls + 1))
                .Select(
                    (one, i) =>
                        NodeId.FromText(one.First) is { } node && WrittenUrl.Read(one.Second) is { } url
                            ? new ContentProvider(node, lead?[i] ?? false, url, one.Third.ToString())
                            : null
                )
                .OfType<ContentProvider>(),
        ];
    }
}
