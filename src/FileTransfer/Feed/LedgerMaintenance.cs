using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Folder;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Cluster;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Feed;

/// <summary>
/// Keeps the folder's ledger in step while the node has joined: positions of Adds, removals and policies as they come; and all files, from
/// the contents' own notes and the catalog, where its engine is new or was lost.
/// </summary>
public sealed partial class LedgerMaintenance(
    Database database,
    ClusterMembership membership,
    NodePulse pulse,
    FolderLedger folder,
    NodeFile identity,
    FeedHistory history,
    FileCatalog catalog,
    NodePolicies policies,
    ChunkStore store,
    StartupReconciler reconciler,
    ThisNode node,
    WorkerRegistry workers,
    TimeProvider time,
    ILogger<LedgerMaintenance> logger
) : BackgroundService
{
    private const int PageSize = 500;
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _policyPeriod = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _agePeriod = TimeSpan.FromHours(1);
    private static readonly TimeSpan _lastLook = TimeSpan.FromSeconds(2);

    private Dictionary<int, FeedPosition>? _cursors;
    private volatile bool _hasGrown;
    private IReadOnlyList<LedgerPolicy>? _policies;

    /// <summary>After a clean stop the folder knows all that the feed had: the catalog may be an older one when the node starts again.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!membership.IsJoined || _cursors is null)
        {
            return;
        }

        try
        {
            using var limit = new CancellationTokenSource(_lastLook, time);
            await FollowAsync(limit.Token);
        }
        catch (Exception e) when (ClusterMembership.IsPassing(e) || e is IOException)
        {
            Log.NotKept(logger, node.Id, e.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var growth = database.Notifications.Subscribe(FeedAppender.Grown, _ => _hasGrown = true);
        using var lag = pulse.Ask(SharedFeed.HasGrown, () => _hasGrown = true);
        await membership.RunWhileJoinedAsync(MaintainAsync, stoppingToken);
    }

    private async Task MaintainAsync(CancellationToken cancellationToken)
    {
        _cursors = new Dictionary<int, FeedPosition>(folder.Cursors());
        var worker = workers.Add("ledger", "keeps the folder's own record of its files in step with the catalog", _period);
        long? policiesAt = null;
        long? agedAt = null;
        _hasGrown = true;
        while (true)
        {
            try
            {
                if (folder.IsIncomplete)
                {
                    _cursors = new Dictionary<int, FeedPosition>(folder.Cursors());
                    _policies = null;
                    policiesAt = null;
                    await worker.RunAsync(() => FillAsync(cancellationToken), cancellationToken);
                    _hasGrown = true;
                }

                if (_hasGrown)
                {
                    _hasGrown = false;
                    await worker.RunAsync(() => FollowAsync(cancellationToken), cancellationToken);
                }

                if (IsDue(ref policiesAt, _policyPeriod))
                {
                    await KeepPoliciesAsync(cancellationToken);
                }

                if (IsDue(ref agedAt, _agePeriod))
                {
                    folder.ForgetOldRemovals(time.GetUtcNow());
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _hasGrown = true;
                Log.NotKept(logger, node.Id, e.Message);
            }

            await Task.Delay(worker.Pace!.Value, time, cancellationToken);
        }
    }

    private bool IsDue(ref long? since, TimeSpan period)
    {
        if (since is { } at && time.GetElapsedTime(at) < period)
        {
            return false;
        }

        since = time.GetTimestamp();
        return true;
    }

    /// <summary>
    /// Gathers the files again; then contents that went with the former engine are wanted again. Where it is cut off, it begins again at the
    /// next start.
    /// </summary>
    private async Task FillAsync(CancellationToken cancellationToken)
    {
        var known = 0;
        foreach (var page in folder.FilesBesideContents().Chunk(PageSize))
        {
            await FillAsync(page, isStored: false, cancellationToken);
            known += page.Length;
        }

        FileKey? after = null;
        while (await catalog.StoredForLedgerAsync(node.Id, after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            var here = page.Where(file => store.Contains(file.Fingerprint, file.Size));
            await FillAsync([.. here], isStored: true, cancellationToken);
            known += page.Count;
            after = page[^1].Key;
        }

        await reconciler.RunAsync(cancellationToken);
        await folder.DeclareFullAsync();
        Log.Filled(logger, node.Id, known);
    }

    private async Task FillAsync(LedgerFile[] files, bool isStored, CancellationToken cancellationToken)
    {
        using var locks = await store.LockContentsAsync(files.Select(file => file.Fingerprint), cancellationToken);
        await folder.FillAsync(files, isStored);
    }

    private async Task KeepPoliciesAsync(CancellationToken cancellationToken)
    {
        var now = await policies.AllAsync(cancellationToken);
        var kept = now.Select(policy => new LedgerPolicy(
                policy.Bucket,
                Policy.NameOf(policy.Policy.Kind),
                policy.Policy.Prefixes,
                policy.Policy.Exacts
            ))
            .ToList();
        _policies ??= folder.Policies();
        if (identity.Hold is not null)
        {
            // A catalog that nobody has looked at yet may have lost them: what it does not say is not forgotten.
            kept.AddRange(_policies.ExceptBy(kept.Select(policy => policy.Bucket), policy => policy.Bucket));
        }

        if (!AreSame(kept, _policies))
        {
            await folder.SetPoliciesAsync(kept);
            _policies = kept;
        }
    }

    private static bool AreSame(List<LedgerPolicy> some, IReadOnlyList<LedgerPolicy> others) =>
        some.Count == others.Count
        && some.Zip(others)
            .All(pair =>
                pair.First.Bucket == pair.Second.Bucket
                && pair.First.Kind == pair.Second.Kind
                && pair.First.Prefixes.SequenceEqual(pair.Second.Prefixes)
                && pair.First.Exacts.SequenceEqual(pair.Second.Exacts)
            );

    private static partial class Log
    {
        [LoggerMessage(1710, LogLevel.Information, "The folder ledger of {Node} was rebuilt: {Count} files")]
        public static partial void Filled(ILogger logger, NodeId node, int count);

        [LoggerMessage(1711, LogLevel.Warning, "Folder ledger maintenance failed on {Node}; retrying: {Reason}")]
        public static partial void NotKept(ILogger logger, NodeId node, string reason);
    }
}
