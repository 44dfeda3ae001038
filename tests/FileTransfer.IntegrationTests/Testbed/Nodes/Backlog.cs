using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Rows of files that exist in the catalog alone.</summary>
internal static class Backlog
{
    private const int AtOnce = 20_000;

    /// <summary>So many files more that a node has in a state, and nobody else.</summary>
    public static async Task AddAsync(TestDatabase database, string node, int files, string state = "wanted")
    {
        for (var left = files; left > 0; left -= AtOnce)
        {
            await database.ExecuteAsync(
                $"""
                WITH made AS (
                    INSERT INTO filetransfer.files (file_key, owner, bucket, location, size, fingerprint, state)
                    SELECT id, '\x0b', '\x0c', id, 8192, sha256(id), 'added'
                    FROM (SELECT sha256(gen_random_uuid()::text::bytea) AS id FROM generate_series(1, {Math.Min(
                    left,
                    AtOnce
                )})) AS ids
                    RETURNING file_key
                )
                INSERT INTO filetransfer.replicas (node_id, file_key, state) SELECT '{node}', file_key, '{state}' FROM made
                """
            );
        }
    }
}
