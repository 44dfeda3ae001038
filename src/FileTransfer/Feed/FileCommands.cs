using FileTransfer.Catalog;
using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

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

    /// <summary>The quota of its bucket has no room for the file; nothing was stored.</summary>
    TooMuch,
}

/// <summary>A file whose content was uploaded.</summary>
/// <param name="Generation">Of the registration that the upload is of.</param>
public sealed record UploadedFile(FileKey Key, FileMetadata Metadata, int Generation);

/// <summary>A file that was registered.</summary>
/// <param name="IsReady">Whether its download to this node may start at once; where not, its upload is waited for.</param>
public sealed record RegisteredFile(RegisterOutcome Outcome, FileRecord File, bool IsReady);

/// <summary>What became of a removal.</summary>
/// <param name="State">Null where the cluster never knew the file.</param>
/// <param name="WasOwn">Whether this cluster itself claimed the file.</param>
/// <param name="KeptFor">The upstreams that claim it, so that it stays.</param>
public sealed record RemovalOutcome(FileState? State, bool WasOwn, IReadOnlyList<string> KeptFor);

/// <summary>What a leader decides: which files exist. Each change and its mutation commit together.</summary>
public sealed partial class FileCommands(
    Leadership leadership,
    Database database,
    OutsideSources outside,
    IOptions<SyncOptions> sync,
    ThisNode node
)
{
    /// <summary>The epoch of this leader, by which a comparison that it begins is its own.</summary>
    /// <exception cref="NotLeadingException">The node does not lead.</exception>
    public long LeaderEpoch => leadership.Epoch ?? throw new NotLeadingException();

    /// <summary>Adds that are appended together, of files that were stored without an upload.</summary>
    internal const int AddsAtOnce = 500;

    private readonly string[] _upstreams = [.. sync.Value.Names];

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
                    await OwnAsync(transaction, [file], token);
                    var isReady = file.State != FileState.Registered || outside.MayHaveAny;
                    await ReplicaTransitions.WantAsync(transaction.Connection, node.Id, [key], waitsForUpload: !isReady, token);
                    await FeedTraces.NoteAsync(transaction.Connection, [key], token);
                    return new RegisteredFile(outcome, file, isReady);
                },
                cancellationToken
            )
            : WantHereAsync(key, metadata, cancellationToken);

    /// <summary>Records that uploaded contents are durable here. The first time, a file's Add is appended in the same transaction.</summary>
    /// <param name="files">Each once, as it was when its upload began.</param>
    /// <param name="registers">
    /// Whether the uploads carry all that a registration does: a file that is not known, or was removed while its content came, is registered.
    /// </param>
    /// <param name="cancellationToken">Leaves all as it was, up to the commit.</param>
    /// <exception cref="QuotaExceededException">Some that would be registered have no room in their buckets; nothing was done.</exception>
    public Task<IReadOnlyDictionary<FileKey, UploadCommit>> CommitUploadsAsync(
        IReadOnlyCollection<UploadedFile> files,
        bool registers,
        CancellationToken cancellationToken
    ) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                var connection = transaction.Connection;
                var now = registers
                    ?
                    [
                        .. (
                            await FileCatalog.RegisterAsync(
                                connection,
                                [.. files.Select(file => (file.Key, file.Metadata))],
                                isOwn: true,
                                isBounded: true,
                                token
                            )
                        ).Select(file => file.File),
                    ]
                    : await FileCatalog.LockAsync(connection, [.. files.Select(file => file.Key)], token);
                var generations = files.ToDictionary(file => file.Key, file => file.Generation);
                var there = now.Where(file =>
                        file.State != FileState.Removed && (registers || file.Generation == generations[file.Key])
                    )
                    .ToList();
                var (stored, woken) = await ReplicaTransitions.StoreUploadsAsync(connection, node.Id, there, token);
                foreach (var other in woken)
                {
                    transaction.NotifyAfterCommit(ReplicaNotifications.Ready, other);
                }

                await OwnAsync(transaction, there, token);
                var added = there.Where(file => file.State == FileState.Registered && stored.Contains(file.Key));
                var inOrder = files.Select(file => file.Key).Intersect(added.Select(file => file.Key));
                await FeedAppender.AppendAsync(transaction, MutationKind.Add, [.. inOrder], token);
                var commits = files.ToDictionary(file => file.Key, _ => UploadCommit.Removed);
                foreach (var file in there)
                {
                    commits[file.Key] = stored.Contains(file.Key) ? UploadCommit.Stored : UploadCommit.AlreadyStored;
                }

                return (IReadOnlyDictionary<FileKey, UploadCommit>)commits;
            },
            cancellationToken
        );

    /// <summary>
    /// Appends the Adds of registered files that this node has stored, of those that its predecessor has and took in while it led, and of files
    /// of upstreams that another node claimed; some at a time.
    /// </summary>
    /// <returns>The files that were added; none = no more are due.</returns>
    /// <exception cref="NotLeadingException">The node does not lead.</exception>
    public Task<IReadOnlyList<FileKey>> AddAllStoredAsync(CancellationToken cancellationToken) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                var due = await FileCatalog.LockRegisteredStoredAsync(
                    transaction.Connection,
                    node.Id,
                    leadership.Predecessor?.Node,
                    leadership.Predecessor?.Until,
                    AddsAtOnce,
                    token
                );
                var claimed = due.Count < AddsAtOnce ? await DueClaims.TakeAsync(transaction.Connection, AddsAtOnce, token) : [];
                IReadOnlyList<FileKey> adds = [.. due, .. claimed];
                await FeedAppender.AppendAsync(transaction, MutationKind.Add, adds, token);
                return adds;
            },
            cancellationToken
        );

    /// <summary>Appends the Adds of those of some files that are registered, and stored here.</summary>
    /// <returns>The files that were added.</returns>
    /// <exception cref="NotLeadingException">The node does not lead.</exception>
    public Task<IReadOnlyList<FileKey>> AddStoredAsync(IEnumerable<FileKey> files, CancellationToken cancellationToken) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                var due = await FileCatalog.LockRegisteredStoredAsync(transaction.Connection, node.Id, files, token);
                await FeedAppender.AppendAsync(transaction, MutationKind.Add, due, token);
                return due;
            },
            cancellationToken
        );

    /// <summary>
    /// Ends this cluster's own claim to a file, and removes the file where no upstream claims it. From the commit on no download of a removed
    /// file can end as stored on any node of this database.
    /// </summary>
    /// <param name="key">The file; where it was removed already, it may still be purged.</param>
    /// <param name="purges">No content of it is kept for a while, as nodes do that it might be restored.</param>
    /// <param name="cancellationToken">Leaves all as it was, up to the commit.</param>
    public Task<RemovalOutcome> RemoveAsync(FileKey key, bool purges, CancellationToken cancellationToken) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                var connection = transaction.Connection;
                var file = await FileCatalog.LockAsync(connection, key, token);
                if (file is not { State: FileState.Registered or FileState.Added })
                {
                    await (purges ? PurgeAsync(transaction, key, token) : Task.CompletedTask);
                    return new RemovalOutcome(file?.State, WasOwn: true, []);
                }

                var claims =
                    _upstreams.Length == 0
                        ? []
                        : (await UpstreamFiles.ClaimsAsync(connection, _upstreams, [key], token))[key].ToList();
                if (claims.Count == 0)
                {
                    await EndAsync(transaction, [key], _ => null, token);
                    await (purges ? PurgeAsync(transaction, key, token) : Task.CompletedTask);
                }
                else if (file.IsOwn)
                {
                    await FileCatalog.SetOwnAsync(connection, [key], false, token);
                    await FeedAppender.AppendAsync(transaction, MutationKind.Add, [key], token, _ => claims[0].Origin);
                }

                return new RemovalOutcome(file.State, file.IsOwn, [.. claims.Select(claim => claim.Upstream)]);
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
            if (!file.IsOwn)
            {
                await FileCatalog.SetOwnAsync(connection, [key], true, cancellationToken);
                await DueClaims.PutAsync(connection, key, cancellationToken);
            }

            await ReplicaTransitions.WantAsync(connection, node.Id, [key], waitsForUpload: false, cancellationToken);
            await FeedTraces.NoteAsync(connection, [key], cancellationToken);
            return new RegisteredFile(outcome, file, IsReady: true);
        }
    }

    private Task<bool> InLeaderTransactionAsync(
        Func<LeaderTransaction, CancellationToken, Task> work,
        CancellationToken cancellationToken
    ) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                await work(transaction, token);
                return true;
            },
            cancellationToken
        );

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

    private static async Task PurgeAsync(LeaderTransaction transaction, FileKey key, CancellationToken cancellationToken)
    {
        await FileCatalog.PurgeAsync(transaction.Connection, key, cancellationToken);
        foreach (var holder in await ReplicaTransitions.PurgeAsync(transaction.Connection, key, cancellationToken))
        {
            transaction.NotifyAfterCommit(ReplicaNotifications.Ended, new EndedReplica(holder, key));
        }
    }

    private static async Task EndAsync(
        LeaderTransaction transaction,
        IReadOnlyList<FileKey> keys,
        Func<FileKey, MutationOrigin?> originOf,
        CancellationToken cancellationToken
    )
    {
        foreach (var key in keys)
        {
            foreach (var holder in await ReplicaTransitions.RemoveAsync(transaction.Connection, key, cancellationToken))
            {
                transaction.NotifyAfterCommit(ReplicaNotifications.Ended, new EndedReplica(holder, key));
            }
        }

        await FeedAppender.AppendAsync(transaction, MutationKind.Remove, keys, cancellationToken, originOf);
    }
}
