using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed;

/// <content>Applies what upstreams have added and removed, however it came here.</content>
/// <remarks>
/// A file stays while this cluster or an upstream claims it. What an upstream claims is its newest Add of it, unless that was appended here
/// first: so a file that two clusters have from each other is held by none of the two alone.
/// </remarks>
public sealed partial class FileCommands
{
    /// <summary>Notes how far an upstream's feed goes, and which history it is. Bins that do not go back to where this cluster is are compared.</summary>
    public Task<IReadOnlyList<UpstreamPosition>> SettleUpstreamAsync(
        string upstream,
        UpstreamCursors told,
        CancellationToken cancellationToken
    ) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                var positions = await UpstreamPositions.SettleAsync(transaction.Connection, upstream, _upstreams, told, token);
                var behind = positions.Where(bin => !bin.CompareDue && bin.Sealed + 1 < told.RetainedFrom[bin.Bin]).ToList();
                foreach (var bin in behind)
                {
                    await UpstreamPositions.RequireComparisonAsync(transaction.Connection, upstream, bin.Bin, token);
                }

                return (IReadOnlyList<UpstreamPosition>)
                    [.. positions.Select(bin => behind.Contains(bin) ? bin with { CompareDue = true } : bin)];
            },
            cancellationToken
        );

    /// <summary>
    /// Applies a page of an upstream's feed and seals it: its Adds are this cluster's too from now on, and a Remove ends the upstream's claim.
    /// Where newer mutations of a file have been applied, they stand.
    /// </summary>
    /// <returns>Where the bin is now; null when a part of the page had been sealed: nothing was done.</returns>
    public async Task<UpstreamPosition?> ApplyUpstreamAsync(
        UpstreamOptions upstream,
        FeedPage page,
        CancellationToken cancellationToken
    ) => (await ApplyUpstreamAsync(upstream, page, [], cancellationToken))?.Position;

    /// <summary>The same of a page that came with contents, which are durable here by now.</summary>
    /// <returns>What became of the contents' files, too; null when a part of the page had been sealed: nothing was done.</returns>
    public Task<AppliedPage?> ApplyUpstreamAsync(
        UpstreamOptions upstream,
        FeedPage page,
        IReadOnlyCollection<FileKey> durable,
        CancellationToken cancellationToken
    )
    {
        page.RequireDense();
        return InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                var connection = transaction.Connection;
                if (await UpstreamPositions.SealAsync(connection, upstream.Name, page, token) is not { } position)
                {
                    return null;
                }

                IReadOnlyList<Mutation> newest = [.. page.NewestOfEach()];
                if (position.Newest > page.Last)
                {
                    var all = newest.Count;
                    newest = await UpstreamRemovals.WithoutOvertakenAsync(connection, upstream.Name, newest, token);
                    SyncMetrics.Duplicate(all - newest.Count);
                }

                if (position.Sealed < page.Last)
                {
                    await UpstreamRemovals.PutAsync(connection, upstream.Name, [.. newest.Where(IsRemove)], token);
                }
                else if (position.Sealed > page.Last)
                {
                    await UpstreamRemovals.ForgetSealedAsync(connection, upstream.Name, position, token);
                }

                var (come, stored) = await TakeAsync(transaction, upstream, newest, durable, token);
                SyncMetrics.Wanted(come.Count);
                return new AppliedPage(position, stored);
            },
            cancellationToken
        );
    }

    /// <summary>Takes a part of the files that a compared upstream has; what it was known to have besides is kept.</summary>
    /// <param name="at">Where the bin was when the part was read.</param>
    /// <returns>What was otherwise here; null where more of the feed has been applied than the part knows of: nothing was done.</returns>
    public Task<ComparedFiles?> CompareUpstreamAsync(
        UpstreamOptions upstream,
        ComparedBin at,
        ComparedPart part,
        CancellationToken cancellationToken
    ) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                RequireEpoch(transaction, at);
                var connection = transaction.Connection;
                if (!await UpstreamPositions.LockUpToAsync(connection, upstream.Name, at, token))
                {
                    return null;
                }

                // What the feed said of a file before that is older.
                var files = part.Files.Select(file => file with { Sequence = at.Cursor }).ToList();
                var (missing, _) = await TakeAsync(transaction, upstream, files, [], token);
                var extra = (await UpstreamFiles.KeepOthersAsync(connection, upstream.Name, part, token)).ToList();
                await UpstreamPositions.CountAsync(connection, upstream.Name, [], extra, token);
                return new ComparedFiles(missing, extra);
            },
            cancellationToken
        );

    /// <summary>A bin was compared whole: it is sealed up to the cursor that it had when that began.</summary>
    public Task EndComparisonAsync(string upstream, ComparedBin compared, CancellationToken cancellationToken) =>
        InLeaderTransactionAsync(
            (transaction, token) =>
            {
                RequireEpoch(transaction, compared);
                return UpstreamPositions.EndComparisonAsync(transaction.Connection, upstream, compared, token);
            },
            cancellationToken
        );

    /// <summary>Makes the digest of what an upstream is known to have in a bin anew.</summary>
    public Task CountAgainAsync(string upstream, short bin, CancellationToken cancellationToken) =>
        InLeaderTransactionAsync(
            (transaction, token) => UpstreamPositions.CountAgainAsync(transaction.Connection, upstream, bin, token),
            cancellationToken
        );

    /// <summary>The upstream's feed does not go back to where this cluster is in a bin.</summary>
    public Task RequireComparisonAsync(string upstream, short bin, CancellationToken cancellationToken) =>
        InLeaderTransactionAsync(
            (transaction, token) => UpstreamPositions.RequireComparisonAsync(transaction.Connection, upstream, bin, token),
            cancellationToken
        );

    /// <param name="newest">The newest mutation of each file.</param>
    /// <param name="durable">Files among them whose contents are durable here.</param>
    /// <returns>The files that the upstream was not known to have, and what became of the contents.</returns>
    private async Task<(IReadOnlyList<FileKey> Come, IReadOnlyDictionary<FileKey, UploadCommit> Stored)> TakeAsync(
        LeaderTransaction transaction,
        UpstreamOptions upstream,
        IReadOnlyCollection<Mutation> newest,
        IReadOnlyCollection<FileKey> durable,
        CancellationToken cancellationToken
    )
    {
        var connection = transaction.Connection;
        var adds = newest.Where(m => m.Kind == MutationKind.Add && upstream.Follows(m.Details!.Metadata!.Bucket)).ToList();
        var removes = newest.Where(IsRemove).ToList();
        var (own, foreign) = (adds.Where(IsOwn).ToList(), adds.Where(add => !IsOwn(add)).ToList());

        // The rows of the files first, in the order of their keys, as everybody locks them.
        var files = await FileCatalog.RegisterAsync(
            connection,
            [.. foreign.Select(add => (add.Key, add.Details!.Metadata!))],
            isOwn: false,
            isBounded: false,
            cancellationToken
        );
        var ending = await FileCatalog.LockAsync(connection, [.. removes.Concat(own).Select(m => m.Key)], cancellationToken);
        var gone = await UpstreamFiles.EndAsync(connection, upstream.Name, [.. removes.Select(m => m.Key)], cancellationToken);
        var come = (await UpstreamFiles.PutAsync(connection, upstream.Name, node.ClusterId, adds, cancellationToken)).ToList();
        await UpstreamPositions.CountAsync(connection, upstream.Name, come, gone, cancellationToken);
        var ended = ending
            .Where(file => file is { IsOwn: false, State: not FileState.Removed })
            .Select(file => file.Key)
            .ToList();
        if (ended.Count > 0)
        {
            var claims = await UpstreamFiles.ClaimsAsync(connection, _upstreams, ended, cancellationToken);
            ended.RemoveAll(claims.Contains);
        }

        var details = newest.ToDictionary(m => m.Key, m => m.Details!);
        await EndAsync(transaction, ended, key => OriginOutside(details[key].Origin), cancellationToken);
        var stored = await StoreAsync(transaction, durable, cancellationToken);
        var added = files.Where(file => file.File.State == FileState.Registered).Select(file => file.File.Key);
        await FeedAppender.AppendAsync(
            transaction,
            MutationKind.Add,
            [.. added],
            cancellationToken,
            key => details[key].Origin,
            key => details[key].Traceparent
        );
        return (come, stored);
    }

    /// <summary>Contents that came with their Adds are stored where this node wants them; the others it does not keep.</summary>
    private async Task<IReadOnlyDictionary<FileKey, UploadCommit>> StoreAsync(
        LeaderTransaction transaction,
        IReadOnlyCollection<FileKey> durable,
        CancellationToken cancellationToken
    )
    {
        var commits = durable.ToDictionary(key => key, _ => UploadCommit.Removed);
        if (durable.Count > 0)
        {
            var (stored, woken) = await ReplicaTransitions.StoreShippedAsync(
                transaction.Connection,
                node.Id,
                durable,
                cancellationToken
            );
            foreach (var (key, isNew) in stored)
            {
                commits[key] = isNew ? UploadCommit.Stored : UploadCommit.AlreadyStored;
            }

            foreach (var other in woken)
            {
                transaction.NotifyAfterCommit(ReplicaNotifications.Ready, other);
            }
        }

        return commits;
    }

    /// <summary>This cluster itself claims files of upstreams now, which its feed says to those who have them from here.</summary>
    private static async Task OwnAsync(
        LeaderTransaction transaction,
        IEnumerable<FileRecord> files,
        CancellationToken cancellationToken
    )
    {
        var foreign = files.Where(file => !file.IsOwn).ToList();
        if (foreign.Count > 0)
        {
            await FileCatalog.SetOwnAsync(transaction.Connection, [.. foreign.Select(file => file.Key)], true, cancellationToken);
            var added = foreign.Where(file => file.State == FileState.Added).Select(file => file.Key);
            await FeedAppender.AppendAsync(transaction, MutationKind.Add, [.. added], cancellationToken);
        }
    }

    private static void RequireEpoch(LeaderTransaction transaction, ComparedBin compared)
    {
        if (transaction.LeaderEpoch != compared.LeaderEpoch)
        {
            throw new NotLeadingException();
        }
    }

    private static bool IsRemove(Mutation mutation) => mutation.Kind == MutationKind.Remove;

    private bool IsOwn(Mutation mutation) => mutation.Details!.Origin.Cluster == node.ClusterId;

    /// <summary>What came back here is appended as this cluster's own doing.</summary>
    private MutationOrigin? OriginOutside(MutationOrigin origin) => origin.Cluster == node.ClusterId ? null : origin;
}

/// <summary>A page of an upstream's feed has been applied.</summary>
/// <param name="Position">Where its bin is now.</param>
/// <param name="Stored">What became of the contents that came with it.</param>
public sealed record AppliedPage(UpstreamPosition Position, IReadOnlyDictionary<FileKey, UploadCommit> Stored);
