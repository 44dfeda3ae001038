using FileTransfer.Catalog;
using FileTransfer.Cluster;

namespace FileTransfer.Feed;

/// <content>Claims files of loads. Nobody wants them yet by that.</content>
public sealed partial class FileCommands
{
    /// <summary>Makes files known that this cluster wants to exist from now on; at the leader it claims those of upstreams, too.</summary>
    /// <param name="described">Files that the cluster may not know.</param>
    /// <param name="known">Files that it knows, also such as were removed.</param>
    /// <exception cref="NotLeadingException">The node stopped leading in between; nothing was done.</exception>
    public async Task ClaimAsync(
        IReadOnlyCollection<(FileKey Key, FileMetadata Metadata)> described,
        IReadOnlyCollection<FileKey> known,
        CancellationToken cancellationToken
    )
    {
        if (leadership.IsLeading)
        {
            await InLeaderTransactionAsync(
                async (transaction, token) =>
                {
                    await OwnAsync(transaction, await RegisterAsync(transaction.Connection, token), token);
                    return true;
                },
                cancellationToken
            );
            return;
        }

        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await database.LockWaits.WatchAsync(connection, RegisterAsync(connection, cancellationToken));
        await database.Commits.CommitAsync(transaction);

        async Task<IReadOnlyList<FileRecord>> RegisterAsync(NpgsqlConnection connection, CancellationToken token)
        {
            var files = described.ToDictionary(file => file.Key, file => file.Metadata);
            foreach (var file in await FileCatalog.LockAsync(connection, known, token))
            {
                files[file.Key] = file.Metadata;
            }

            var claimed = await FileCatalog.RegisterAsync(
                connection,
                [.. files.Select(file => (file.Key, file.Value))],
                isOwn: true,
                isBounded: false,
                token
            );
            return [.. claimed.Select(file => file.File)];
        }
    }
}
