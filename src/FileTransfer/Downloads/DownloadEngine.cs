using System.Diagnostics;
using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;
using FileTransfer.Cluster;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;
using FileTransfer.Downloads.Sources;

namespace FileTransfer.Downloads;

/// <summary>The engine of this node's downloads: reports to one planner what happens to all of them, and carries out what it answers.</summary>
/// <remarks>
/// The planner is asked by one thread at a time, and its actions are begun in its order before it is asked again. No action waits: a fetch
/// is a task of its own, a cancellation runs on another thread, an end wakes the lane that has the file.
/// </remarks>
public sealed partial class DownloadEngine(
    ChunkStore store,
    DiskPressure disk,
    SourceRegistry sources,
    PeerFiles peers,
    NodeDirectory nodes,
    DownloadEvents events,
    SourceAttemptHistory history,
    LocalContents localContents,
    FailedFiles failed,
    DownloadLimits limits,
    IOptions<DownloadOptions> options,
    Random random,
    TimeProvider time,
    ILogger<DownloadEngine> logger
) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly DownloadPlanner _planner = new(limits.Planner, random);
    private readonly ConcurrentDictionary<FileKey, DownloadAttempt> _attempts = new();
    private readonly Dictionary<RequestId, CancellationTokenSource> _requests = [];
    private readonly ConcurrentDictionary<SourceId, bool> _patientProbes = new();
    private readonly ConcurrentDictionary<(SourceId Source, FileKey File), bool> _damageReports = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly long _began = time.GetTimestamp();
    private ITimer? _timer;
    private long _wakes;

    /// <summary>Set when a source answers again that files wait for.</summary>
    public AsyncAutoResetEvent SourceAnswers { get; } = new();

    /// <summary>How often sources have come back that files waited for.</summary>
    public long Wakes => Interlocked.Read(ref _wakes);

    private TimeSpan Now => time.GetElapsedTime(_began);

    /// <summary>Begins to download a claimed replica, as far as its sources let it. It is the caller's to close.</summary>
    /// <param name="trace">Is told of it, and ended with it.</param>
    /// <param name="stopping">Ends it with its lane.</param>
    /// <param name="lost">Ends it with the session that holds its lock.</param>
    internal DownloadAttempt Start(ClaimedReplica claim, Activity? trace, CancellationToken stopping, CancellationToken lost)
    {
        var isInWindows = ChunkFrame.ChunkCount(claim.Size) > limits.Planner.WindowChunks;
        var attempt = new DownloadAttempt(
            claim,
            isInWindows,
            store,
            disk,
            chunk => Tell(new PlannerEvent.ChunkAwaited(claim.Key, chunk)),
            stopping,
            lost
        )
        {
            Trace = trace,
        };
        attempt.Running = RunAsync(attempt);
        return attempt;
    }

    /// <summary>Ends an attempt when it still runs; another one for its file can begin then.</summary>
    internal async Task CloseAsync(DownloadAttempt attempt)
    {
        await attempt.ReleaseAsync();
        _attempts.TryRemove(KeyValuePair.Create(attempt.Claim.Key, attempt));
        attempt.Dispose();
    }

    /// <summary>Ends the download of a file whose replica was ended by somebody else, before its lane asks.</summary>
    public void Abort(FileKey file) => _attempts.GetValueOrDefault(file)?.Abort();

    /// <summary>The files that are being downloaded.</summary>
    public IReadOnlyCollection<FileKey> Running => [.. _attempts.Keys];

    /// <summary>Puts files before or behind others among the downloads under way.</summary>
    /// <returns>How many of them are.</returns>
    public int Prioritize(IEnumerable<FileKey> files, int priority)
    {
        var begun = 0;
        foreach (var file in files)
        {
            if (_attempts.TryGetValue(file, out var attempt) && attempt.Priority <= ReplicaTransitions.HighestPriority)
            {
                attempt.Priority = priority;
                Tell(new PlannerEvent.PriorityChanged(file, priority));
                begun++;
            }
        }

        return begun;
    }

    /// <summary>
    /// Where every lane is busy, large downloads of a lower priority end for now, the lowest first: so many as <paramref name="files"/> of this one wait. They go on
    /// later with what they have.
    /// </summary>
    /// <returns>How many.</returns>
    public int Yield(int priority, long files)
    {
        if (_attempts.Count < options.Value.Lanes)
        {
            return 0;
        }

        var lower = _attempts
            .Values.Where(attempt => !attempt.IsInMemory && attempt.Priority < priority)
            .OrderBy(attempt => attempt.Priority)
            .Take((int)Math.Min(files, options.Value.Lanes))
            .ToList();
        lower.ForEach(attempt => attempt.Abort());
        return lower.Count;
    }

    /// <summary>Where the sources stand that this process has met; for one file in particular, where it is named.</summary>
    public IReadOnlyList<SourceDiagnostics> Diagnostics(FileKey? file = null)
    {
        lock (_gate)
        {
            return _planner.Diagnostics(Now, file);
        }
    }

    /// <summary>Where a file under way is by now.</summary>
    public void Update(FileKey file, FileProviders providers)
    {
        if (_attempts.GetValueOrDefault(file) is { } attempt)
        {
            Tell(new PlannerEvent.SourcesChanged(file, Upsert(attempt.Claim, providers), providers.CompetingNodes));
            attempt.Fellows?.Follow(sources.ToBeAsked(providers).Fellows);
        }
    }

    /// <summary>Ends what is under way at a peer that is not to be asked any more; its files go on with others.</summary>
    public void Revoke(PeerName peer) => Tell(new PlannerEvent.SourceRevoked(NodeSource.IdOf(peer)));

    /// <summary>The same at the nodes of this cluster and of its upstreams.</summary>
    public void RevokeNodes()
    {
        foreach (var id in sources.Revoked())
        {
            Tell(new PlannerEvent.SourceRevoked(id));
            foreach (var attempt in _attempts.Values)
            {
                attempt.Fellows?.Leave(id);
            }
        }
    }

    /// <summary>Other limits are in force.</summary>
    public void ApplyLimits() => Tell(new PlannerEvent.LimitsChanged(limits.Planner));

    public void Dispose()
    {
        _stopped.Cancel();
        _timer?.Dispose();
    }

    private async Task<PlannerAction.Ended> RunAsync(DownloadAttempt attempt)
    {
        Activity.Current = attempt.Trace;
        await EnterAsync(attempt);
        var claim = attempt.Claim;
        if (await localContents.IsProvenAsync(attempt))
        {
            Publish(claim, DownloadEventKind.FoundLocally, bytesProven: claim.Size);
            return new PlannerAction.Finish(claim.Key);
        }

        var hints = Upsert(claim, claim.Providers);
        if (hints.Count == 0)
        {
            var wait = limits.Planner.NoSourceWait;
            return new PlannerAction.Defer(claim.Key, WaitCondition.Provider, ReplicaQueue.NoProvider, wait);
        }

        try
        {
            var end = await PlanAsync(attempt, hints);
            if (end is not PlannerAction.Finish)
            {
                attempt.ReleasePartial();
            }
            else if (!attempt.ProveContent())
            {
                throw new InvalidOperationException($"{claim.Key} was called complete, but is not proven.");
            }

            return end;
        }
        catch
        {
            attempt.ReleasePartial();
            throw;
        }
    }

    /// <summary>An attempt for the same file that has lost its claim without knowing it is ended first: it has the partial to go on with.</summary>
    private async Task EnterAsync(DownloadAttempt attempt)
    {
        while (_attempts.GetOrAdd(attempt.Claim.Key, attempt) is var earlier && earlier != attempt)
        {
            earlier.Abort();
            await earlier.Closed.WaitAsync(attempt.Cancelled);
        }
    }

    /// <summary>The planner has the file until one of the two ends that.</summary>
    private async Task<PlannerAction.Ended> PlanAsync(DownloadAttempt attempt, IReadOnlyList<SourceHint> hints)
    {
        var claim = attempt.Claim;
        var chunks = ChunkFrame.ChunkCount(claim.Size);
        Tell(
            new PlannerEvent.FileWanted(
                claim.Key,
                chunks,
                Whole(chunks),
                HashesProven: false,
                hints,
                claim.Providers.CompetingNodes,
                options.Value.Deadline is { } deadline ? Now + deadline : null
            )
            {
                Priority = attempt.Priority,
            }
        );
        await using var fellows = attempt.Fellows = new FellowDownloads(
            claim,
            id => sources.Find(id) as NodeSource,
            happened => Tell([.. happened]),
            limits.Planner.WindowChunks,
            time,
            attempt.Cancelled
        );
        try
        {
            return await attempt.Planned.WaitAsync(attempt.Cancelled);
        }
        finally
        {
            if (!attempt.Planned.IsCompleted)
            {
                Tell(new PlannerEvent.FileDropped(claim.Key));
            }

            await attempt.StopAsync();
        }
    }

    private static List<ChunkRange> Whole(long chunks)
    {
        var ranges = new List<ChunkRange>(1);
        for (long first = 0; first < chunks; first += int.MaxValue)
        {
            ranges.Add(new ChunkRange(first, (int)Math.Min(int.MaxValue, chunks - first)));
        }

        return ranges;
    }

    private IReadOnlyList<SourceHint> Upsert(ClaimedReplica claim, FileProviders known)
    {
        var providers = sources.ToBeAsked(known);
        var isElsewhere = providers.Nodes.Count > 0 || providers.Upstreams.Count > 0;
        var isLarge = ChunkFrame.ChunkCount(claim.Size) > limits.Planner.WindowChunks;
        var asked = peers.WorthAsking(claim.Key, claim.Bucket, isLarge, isElsewhere);
        var hints = sources.Upsert(providers, asked, out var readded);
        foreach (var source in readded)
        {
            Tell(new PlannerEvent.SourceReadded(source));
        }

        return hints;
    }

    private void Publish(
        ClaimedReplica claim,
        DownloadEventKind kind,
        long bytesProven,
        SourceId? source = null,
        string? reason = null
    ) => events.Publish(new DownloadEvent(claim.Key, kind, source?.Value, bytesProven, claim.Size, reason, Ranges: null));
}
