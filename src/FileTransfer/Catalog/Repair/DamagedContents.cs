using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;

namespace FileTransfer.Catalog.Repair;

/// <summary>
/// The one way of a damaged content, whoever found it: a reader, an open, another node, an upload, a download or the scrub. It is proven once
/// more, set aside with its reason, and wanted again by every file of this node that had it stored; so it is brought back from another node.
/// </summary>
/// <remarks>
/// Setting aside needs no database: from then on nobody is sent a byte of it. That its files are wanted again is written down as soon as the
/// database answers; a node that stops before finds out at its next start.
/// </remarks>
public sealed partial class DamagedContents(
    ChunkStore store,
    ReplicaTable replicas,
    ReplicaTransitions transitions,
    QueueSignal queue,
    ReplicaChanges changes,
    NodeId here,
    TimeProvider time,
    ILogger<DamagedContents> logger
) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Fingerprint, QuarantinedContent> _open = new();
    private readonly ConcurrentDictionary<Fingerprint, string> _unsettled = new();
    private readonly AsyncAutoResetEvent _hint = new();
    private readonly CancellationTokenSource _stopping = new();
    private long _found;

    /// <summary>Contents that were set aside since the process started.</summary>
    public long Found => Interlocked.Read(ref _found);

    /// <summary>Contents that were set aside, are wanted here and have not been brought back yet, the oldest first.</summary>
    public IReadOnlyList<QuarantinedContent> Open =>
        [.. _open.Values.Where(damage => !store.Holds(damage.Fingerprint)).OrderBy(damage => damage.At)];

    /// <summary>What was wrong with a content that is not back yet; null where nothing was.</summary>
    public QuarantinedContent? Of(Fingerprint fingerprint) =>
        _open.TryGetValue(fingerprint, out var damage) && !store.Holds(fingerprint) ? damage : null;

    /// <summary>
    /// Whether a stored file's content is here and right. What was proven within the last minute is believed while its file does not
    /// change; else it is proven now, and dealt with.
    /// </summary>
    public async Task<bool> IsIntactAsync(Fingerprint fingerprint, long size, CancellationToken cancellationToken)
    {
        switch (await store.ProveAsync(fingerprint, size, always: false, proven: null, pace: null, cancellationToken))
        {
            case ContentFinding.Intact { Size: var found }:
                return found == size;
            case ContentFinding.Damaged { Reason: var reason }:
                return await ExamineAsync(fingerprint, size, reason, cancellationToken) is ContentFinding.Intact right
                    && right.Size == size;
            default:
                await MarkMissingAsync(fingerprint, ReplicaTransitions.LostFromDisk, cancellationToken);
                return false;
        }
    }

    /// <summary>A content was found damaged, and proven to be so: sets it aside and lets its files be brought back.</summary>
    public async Task SetAsideAsync(Fingerprint fingerprint, string reason, CancellationToken cancellationToken)
    {
        using (await store.LockContentAsync(fingerprint, cancellationToken))
        {
            if (store.Quarantine(fingerprint, reason) is null)
            {
                return;
            }
        }

        await SettleAsync(fingerprint, reason, cancellationToken);
    }

    public override void Dispose()
    {
        // First: it ends what runs where the start has failed, by way of what is disposed next.
        base.Dispose();
        _stopping.Dispose();
        _proofs.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        store.SetAside += OnSetAside;
        await using var stop = stoppingToken.Register(_stopping.Cancel);
        try
        {
            foreach (var damage in store.Quarantined())
            {
                _open[damage.Fingerprint] = damage;
            }

            while (true)
            {
                await ReviewAsync(stoppingToken);
                await _hint.WaitAsync(_period, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
        finally
        {
            store.SetAside -= OnSetAside;
        }
    }

    private void OnSetAside(QuarantinedContent damage)
    {
        Interlocked.Increment(ref _found);
        _open[damage.Fingerprint] = damage;
        _unsettled[damage.Fingerprint] = damage.Reason;
        _hint.Set();
    }

    /// <summary>Writes down what is due, and forgets damage that is repaired, or that nobody wants repaired.</summary>
    private async Task ReviewAsync(CancellationToken cancellationToken)
    {
        foreach (var (fingerprint, reason) in _unsettled)
        {
            await SettleAsync(fingerprint, reason, cancellationToken);
        }

        foreach (var (fingerprint, damage) in _open)
        {
            if (store.Holds(fingerprint))
            {
                Log.Repaired(logger, fingerprint, here, damage.Name);
                _open.TryRemove(fingerprint, out _);
            }
            else if (!_unsettled.ContainsKey(fingerprint) && !await IsWantedAsync(fingerprint, cancellationToken))
            {
                _open.TryRemove(fingerprint, out _);
            }
        }
    }

    private async Task<bool> IsWantedAsync(Fingerprint fingerprint, CancellationToken cancellationToken)
    {
        try
        {
            return (await replicas.ReferredToAsync(here, [fingerprint], cancellationToken)).Count > 0;
        }
        catch (Exception e) when (DatabaseReach.IsFailure(e) || e is InvalidOperationException)
        {
            return true; // Nobody can tell now.
        }
    }

    private async Task SettleAsync(Fingerprint fingerprint, string reason, CancellationToken cancellationToken)
    {
        try
        {
            using var contentLock = await store.LockContentAsync(fingerprint, cancellationToken);
            if (!store.Holds(fingerprint))
            {
                await MarkMissingAsync(fingerprint, $"its content was damaged: {reason}", cancellationToken);
            }

            _unsettled.TryRemove(fingerprint, out _);
        }
        catch (Exception e) when (DatabaseReach.IsFailure(e))
        {
            // The database is away: it is written down when it is back.
            Log.NotSettled(logger, fingerprint, here, e.Message);
        }
    }

    /// <summary>A content is not there: its files are wanted again, or leave this node.</summary>
    /// <returns>The files.</returns>
    public async Task<IReadOnlyList<FileKey>> MarkMissingAsync(
        Fingerprint fingerprint,
        string reason,
        CancellationToken cancellationToken
    )
    {
        var lost = await transitions.MarkMissingAsync(here, fingerprint, reason, cancellationToken);
        foreach (var (key, _, state) in lost)
        {
            Log.Lost(logger, key, here, reason, state);
        }

        if (lost.Count > 0)
        {
            changes.PublishDamaged([.. lost.Select(file => new ReplicaChange(file.Key, file.Size))], reason);
            queue.Set();
        }

        return [.. lost.Select(file => file.Key)];
    }

    private static partial class Log
    {
        [LoggerMessage(
            1200,
            LogLevel.Warning,
            "The content of {FileKey} at {Node} is gone: {Reason}; its replica is now {State}"
        )]
        public static partial void Lost(ILogger logger, FileKey fileKey, NodeId node, string reason, ReplicaState state);

        [LoggerMessage(
            1201,
            LogLevel.Information,
            "Content {Fingerprint} at {Node} was verified because {Doubt}; it is intact (repaired: {Mended})"
        )]
        public static partial void Doubted(ILogger logger, Fingerprint fingerprint, NodeId node, string doubt, string mended);

        [LoggerMessage(
            1202,
            LogLevel.Information,
            "Content {Fingerprint} is back at {Node}; the damaged copy is kept in quarantine/{Name}"
        )]
        public static partial void Repaired(ILogger logger, Fingerprint fingerprint, NodeId node, string name);

        [LoggerMessage(
            1203,
            LogLevel.Error,
            "Could not verify content {Fingerprint} at {Node}; verification was needed because {Doubt}"
        )]
        public static partial void NotExamined(
            ILogger logger,
            Exception fault,
            Fingerprint fingerprint,
            NodeId node,
            string doubt
        );

        [LoggerMessage(
            1204,
            LogLevel.Warning,
            "Content {Fingerprint} was quarantined at {Node}, but the catalog could not be updated; retrying: {Reason}"
        )]
        public static partial void NotSettled(ILogger logger, Fingerprint fingerprint, NodeId node, string reason);
    }
}
