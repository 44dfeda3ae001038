using FileTransfer.Catalog;
using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Postgres;

namespace FileTransfer.Feed;

/// <summary>What became of an uploaded content.</summary>
public enum UploadCommit
{
    /// <summary>Stored here, and its Add is in the feed.</summary>
    Stored,

    /// <summary>It was stored already.</summary>
    AlreadyStored,

    /// <summary>The file was removed while its content came; nothing was stored.</summary>
    Removed,
}

/// <summary>A file that was registered.</summary>
/// <param name="IsReady">Whether its download to this node may start at once; where not, its upload is waited for.</param>
public sealed record RegisteredFile(RegisterOutcome Outcome, FileRecord File, bool IsReady);

/// <summary>What a leader decides: which files exist. Each change and its mutation commit together.</summary>
public sealed partial class FileCommands(Leadership leadership, Database database, OutsideSources outside, ThisNode node)
{
    /// <summary>
    /// Makes a file known. At the leader its replica waits for the upload, unless a source outside the cluster may have it, and the Add
    /// follows when it is stored; at any other node the file is wanted at once. Somebody named it here, so no policy of the node keeps it out.
    /// </summary>
    /// <exception cref="NotLeadingException">The node stopped leading in between; nothing was registered.</exception>
    public Task<RegisteredFile> RegisterAsync(FileKey key, FileMetadata metadata, CancellationToken cancellationToken) =>
        leadership.IsLeading
            ? InLeaderTransactionAsync(
                async (transaction, token) =>
                {
                    var (outcome, file) = await FileCatalog.RegisterAsync(transaction.Connection, key, metadata, token);
                    var isReady = file.State != FileState.Registered || outside.AreConfigured;
                    await ReplicaTransitions.WantAsync(transaction.Connection, node.Id, key, waitsForUpload: !isReady, token);
                    return new RegisteredFile(outcome, file, isReady);
                },
                cancellationToken
            )
            : WantHereAsync(key, metadata, cancellationToken);

    /// <summary>Records that an uploaded content is durable here. The first time, the file's Add is appended in the same transaction.</summary>
    /// <param name="file">As it was when the upload began.</param>
    /// <param name="registersAgain">
    /// Whether the upload carries all that a registration does: a file that was removed while it came is registered again by it.
    /// </param>
    /// <param name="cancellationToken">Leaves all as it was, up to the commit.</param>
    public Task<UploadCommit> CommitUploadAsync(FileRecord file, bool registersAgain, CancellationToken cancellationToken) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                var connection = transaction.Connection;
                var now = registersAgain
                    ? (await FileCatalog.RegisterAsync(connection, file.Key, file.Metadata, token)).File
                    : await FileCatalog.LockAsync(connection, file.Key, token);
                if (now is null || now.State == FileState.Removed || (now.Generation != file.Generation && !registersAgain))
                {
                    return UploadCommit.Removed;
                }

                var (stored, woken) = await ReplicaTransitions.StoreUploadAsync(connection, node.Id, now, token);
                if (!stored)
                {
                    // Registered at another node, this one has no replica of it yet, or still the one of its former Add.
                    await ReplicaTransitions.WantAsync(connection, node.Id, file.Key, waitsForUpload: true, token);
                    (stored, woken) = await ReplicaTransitions.StoreUploadAsync(connection, node.Id, now, token);
                }

                foreach (var other in woken)
                {
                    transaction.NotifyAfterCommit(ReplicaNotifications.Ready, other);
                }

                if (now.State == FileState.Registered && stored)
                {
                    await FeedAppender.AppendAsync(transaction, MutationKind.Add, file.Key, token);
                }

                return stored ? UploadCommit.Stored : UploadCommit.AlreadyStored;
            },
            cancellationToken
        );

    /// <summary>
    /// Appends the Adds of registered files that this node has stored, and of those that its predecessor has and took in while it led; some at
    /// a time.
    /// </summary>
    /// <returns>The files that were added; none = no more are due.</returns>
    /// <exception cref="NotLeadingException">The node does not lead.</exception>
    public Task<IReadOnlyList<FileKey>> AddStoredAsync(CancellationToken cancellationToken) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                var due = await FileCatalog.LockRegisteredStoredAsync(
                    transaction.Connection,
                    node.Id,
                    leadership.Predecessor?.Node,
                    leadership.Predecessor?.Until,
                    atMost: 100,
                    token
                );
                foreach (var key in due)
                {
                    await FeedAppender.AppendAsync(transaction, MutationKind.Add, key, token);
                }

                return due;
            },
            cancellationToken
        );

    /// <summary>Removes a file from the cluster. From the commit on no download of it can end as stored on any node of this database.</summary>
    /// <returns>False when the cluster never knew the file.</returns>
    public Task<bool> RemoveAsync(FileKey key, CancellationToken cancellationToken) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                var file = await FileCatalog.LockAsync(transaction.Connection, key, token);
                if (file is { State: FileState.Registered or FileState.Added })
                {
                    await EndAsync(transaction, key, token);
                }

                return file is not null;
            },
            cancellationToken
        );

    private async Task<RegisteredFile> WantHereAsync(FileKey key, FileMetadata metadata, CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var registered = await database.LockWaits.WatchAsync(connection, RegisterAndWantAsync());
        await database.Commits.CommitAsync(transaction);
        return registered;

        async Task<RegisteredFile> RegisterAndWantAsync()
        {
            var (outcome, file) = await FileCatalog.RegisterAsync(connection, key, metadata, cancellationToken);
            await ReplicaTransitions.WantAsync(connection, node.Id, key, waitsForUpload: false, cancellationToken);
            return new RegisteredFile(outcome, file, IsReady: true);
        }
    }

    private Task<T> InLeaderTransactionAsync<T>(
        Func<LeaderTransaction, CancellationToken, Task<T>> work,
        CancellationToken cancellationToken
    ) =>
        Deadlocks.RetryAsync(async () =>
        {
            await using var transaction = await leadership.BeginAsync(cancellationToken);
            var result = await database.LockWaits.WatchAsync(transaction.Connection, work(transaction, cancellationToken));
            await transaction.CommitAsync();
            return result;
        });

    private static async Task EndAsync(LeaderTransaction transaction, FileKey key, CancellationToken cancellationToken)
    {
        foreach (var holder in await ReplicaTransitions.RemoveAsync(transaction.Connection, key, cancellationToken))
        {
            transaction.NotifyAfterCommit(ReplicaNotifications.Ended, new EndedReplica(holder, key));
        }

        await FeedAppender.AppendAsync(transaction, MutationKind.Remove, key, cancellationToken);
    }
}
