using FileTransfer.Catalog.Providers;
using FileTransfer.Identity;
using FileTransfer.Postgres;
using Npgsql;

namespace FileTransfer.Catalog.Replicas;

/// <content>Where else a claimed file is: asked for with the claim, and again while its download runs.</content>
public sealed partial class ReplicaQueue
{
    /// <summary>Two columns for a statement that has a replica as <c>r</c>.</summary>
    /// <remarks>
    /// Of many holders the newer are named more often: they are idle. Some older must be among them, or nobody would find those that are
    /// idle again, and a content would spread from the same sixteen for ever.
    /// </remarks>
    private const string Availability = $"""
        ARRAY(
            SELECT concat_ws(' ', n.node_id, n.instance, CASE WHEN l.node_id IS NULL THEN '-' ELSE 'leads' END, n.url)
            FROM filetransfer.replicas source
            JOIN filetransfer.nodes n ON n.node_id = source.node_id
            LEFT JOIN filetransfer.leader l ON l.node_id = n.node_id
            WHERE source.file_key = r.file_key AND source.state = 'stored' AND source.node_id <> r.node_id
            ORDER BY NOT {NodeLiveness.IsHeardOf}, (clock_timestamp() - source.changed_at) * random()
            LIMIT 16
        ) AS holdings, (
            SELECT count(*)
            FROM filetransfer.replicas contender
            JOIN filetransfer.nodes n ON n.node_id = contender.node_id
            WHERE contender.file_key = r.file_key AND contender.state IN ('wanted', 'downloading')
              AND contender.node_id <> r.node_id AND {NodeLiveness.IsHeardOf}
        ) AS contenders
        """;

    private static readonly string _progress = $"""
        UPDATE filetransfer.replicas r SET bytes_proven = @proven
        WHERE {Mine} AND r.state = 'downloading' AND {Held}
        RETURNING {Availability}
        """;

    /// <summary>Tells how far the download is, and where else the file is by now.</summary>
    /// <returns>Null when the claim has ended for this caller, and the download must stop.</returns>
    public Task<Availability?> ReportProgressAsync(
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
                return await reader.ReadAsync(token) ? ReadAvailability(reader, 0) : null;
            },
            cancellationToken
        );

    private static Availability ReadAvailability(NpgsqlDataReader reader, int column) =>
        new(
            reader.GetFieldValue<string[]>(column).Select(ReadHolding).ToList(),
            (int)Math.Min(reader.GetInt64(column + 1), int.MaxValue)
        );

    /// <summary>A node id has no spaces.</summary>
    private static ContentProvider ReadHolding(string text) =>
        text.Split(' ', 4) is [var id, var instance, var leads, var url]
            ? new ContentProvider(new NodeId(id), leads == "leads", new Uri(url), instance)
            : throw new InvalidDataException($"The catalog tells of a holder as '{text}'.");
}
