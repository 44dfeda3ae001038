namespace FileTransfer.Catalog.Replicas;

/// <content>
/// Wanted contents that no node is known to have and that lie in the node's own folder: it came from elsewhere, or the catalog came after it.
/// They are claimed like others, and proven before they count.
/// </content>
public sealed partial class ReplicaQueue
{
    /// <summary>Some of the replicas that nobody is known to have and that the folder has not been asked for.</summary>
    public async Task<IReadOnlyList<(FileKey Key, Fingerprint Fingerprint)>> NotLookedForHereAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT r.file_key, f.fingerprint FROM filetransfer.replicas r JOIN filetransfer.files f USING (file_key)
            WHERE r.node_id = @node AND r.state = 'wanted' AND r.waits_for = 'provider' AND r.in_folder IS NULL
            LIMIT @atOnce
            """;
        return
        [
            .. await connection.QueryAsync<(FileKey, Fingerprint)>(sql, new { node, atOnce = DeferredAtOnce }, cancellationToken),
        ];
    }

    /// <summary>Writes down what the folder has of them; what it has is ready.</summary>
    public Task LookedForHereAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<FileKey> here,
        IReadOnlyCollection<FileKey> notHere,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            UPDATE filetransfer.replicas
            SET in_folder = file_key = ANY(@here),
                next_attempt_at = CASE WHEN file_key = ANY(@here) THEN NULL ELSE next_attempt_at END,
                waits_for = CASE WHEN file_key = ANY(@here) THEN NULL ELSE waits_for END
            WHERE node_id = @node AND file_key = ANY(@looked) AND state = 'wanted' AND waits_for = 'provider'
            """;
        var parameters = new
        {
            node,
            here = here.ToParameter(),
            looked = here.Concat(notHere).ToParameter(),
        };
        return connection.ExecuteAsync(sql, parameters, cancellationToken);
    }
}
