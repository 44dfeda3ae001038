using System.Diagnostics;
using System.Runtime.ExceptionServices;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads;

/// <summary>One download, from the claim of its replica to the end of that claim: what ends it, its partial, and what is being done for it.</summary>
/// <param name="isInWindows">
/// Proven chunk by chunk with its hashes, read by others meanwhile, and kept between attempts; a small content comes whole.
/// </param>
/// <param name="awaited">Told of a chunk that a reader waits for.</param>
internal sealed class DownloadAttempt(
    ClaimedReplica claim,
    bool isInWindows,
    ChunkStore store,
    DiskPressure disk,
    Action<long> awaited,
    CancellationToken stopping,
    CancellationToken lost
) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _cancel = CancellationTokenSource.CreateLinkedTokenSource(stopping, lost);
    private readonly TaskCompletionSource<PlannerAction.Ended> _planned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(PartialAccess Access, Task Task)> _work = [];
    private readonly HashSet<SourceId> _answered = [];
    private Task<PartialFile>? _opening;
    private ExceptionDispatchInfo? _fault;
    private CancellationTokenRegistration _whenStopping;
    private CancellationTokenRegistration _whenLost;
    private volatile bool _isAborted;
    private long _found;

    public ClaimedReplica Claim => claim;

    /// <summary>As a person has set it by now.</summary>
    public int Priority { get; set; } = claim.Priority;

    /// <summary>The download, set by who begins it. Its result: all of the content is here and proven, or why it is not.</summary>
    public Task<PlannerAction.Ended> Running { get; set; } = null!;

    /// <summary>Of whoever follows it; null where nobody does.</summary>
    public Activity? Trace { get; init; }

    /// <summary>Comes whole and is kept in memory until it is durable. Larger ones wait on disk: a lane has several at once, and each lane its own.</summary>
    public bool IsInMemory => !isInWindows && claim.Size <= BatchWeight.LargestContent;

    public PartialFile? Partial { get; private set; }

    /// <summary>The whole content, where it <see cref="IsInMemory"/>.</summary>
    public ProvenBytes? Bytes { get; set; }

    /// <summary>How far it is; read while it runs.</summary>
    public long BytesProven =>
        Partial is { } partial ? (partial.HashesProven ? partial.BytesProven : 0) : Interlocked.Read(ref _found);

    /// <summary>What is proven to be kept; null where nobody has looked.</summary>
    public long? BytesKept => Partial is null ? null : BytesProven;

    /// <summary>Nodes that download the same file, once the planner has it.</summary>
    public FellowDownloads? Fellows { get; set; }

    /// <summary>What the planner says of its end.</summary>
    public Task<PlannerAction.Ended> Planned => _planned.Task;

    /// <summary>How often sources had come back when the planner ended it.</summary>
    public long Wakes { get; private set; }

    /// <summary>Completes when it has let go of its partial and of its place among the node's downloads.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Cancelled when nothing that is done for this file counts any more.</summary>
    public CancellationToken Cancelled => _cancel.Token;

    /// <summary>Its claim is over, or its lane: by a removal or takeover, a stop, or the loss of the session.</summary>
    public bool IsAborted => _isAborted || stopping.IsCancellationRequested || lost.IsCancellationRequested;

    /// <summary>Its claim is over. Does not wait.</summary>
    public void Abort()
    {
        _isAborted = true;
        StopReaders();
        try
        {
            _ = _cancel.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself in the meantime.
        }
    }

    public void End(PlannerAction.Ended planned, long wakes)
    {
        Wakes = wakes;
        _planned.TrySetResult(planned);
    }

    /// <summary>So many bytes of a content that was here already are proven.</summary>
    public void FoundHere(long bytes) => Interlocked.Exchange(ref _found, bytes);

    /// <summary>This node failed, not a source: the first such fault is what came of it.</summary>
    public void Fail(Exception fault)
    {
        lock (_gate)
        {
            _fault ??= ExceptionDispatchInfo.Capture(fault);
        }
    }

    /// <summary>Does something for this file, after what is being done that it conflicts with, and keeps it until it has ended.</summary>
    public void Start(PartialAccess access, Func<Task> run)
    {
        lock (_gate)
        {
            _work.RemoveAll(static other => other.Task.IsCompleted);
            _work.Add((access, RunAfterAsync(ConflictingWork(access), run)));
        }
    }

    /// <summary>Notes that a source answered for this file; true the first time.</summary>
    public bool IsFirstAnswerOf(SourceId source)
    {
        lock (_gate)
        {
            return _answered.Add(source);
        }
    }

    /// <summary>The partial; opened, and proven again by its own hashes, when it is first asked for.</summary>
    /// <exception cref="NoRoomException">There is no room for what is missing.</exception>
    public Task<PartialFile> OpenAsync()
    {
        lock (_gate)
        {
            return _opening ??= OpenPartialAsync();
        }
    }

    /// <exception cref="NoRoomException">There is no room for so many bytes.</exception>
    public void RequireRoom(long bytes)
    {
        if (disk.RefusalOf(bytes) is { } refusal)
        {
            throw new NoRoomException(refusal);
        }
    }

    /// <summary>Cancels what is in flight and waits until nothing touches the partial any more.</summary>
    /// <exception cref="Exception">What this node failed of.</exception>
    public async Task StopAsync()
    {
        while (UnderWay() is { Length: > 0 } left)
        {
            await _cancel.CancelAsync();
            await Task.WhenAll(left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _fault?.Throw();
    }

    /// <summary>Whether the whole content has come and is proven.</summary>
    public bool ProveContent() => Bytes is not null || Partial is { } partial && (partial.IsProven || partial.ProveWhole());

    /// <summary>Lets go of the partial: keeps what is proven, or can be once its hashes are here, and leaves nothing else behind.</summary>
    public void ReleasePartial()
    {
        if (isInWindows)
        {
            Partial?.Dispose();
        }
        else
        {
            Partial?.Discard();
        }
    }

    /// <summary>Ends the download when it still runs, and lets go of what it holds.</summary>
    public async Task ReleaseAsync()
    {
        if (!Running.IsCompleted)
        {
            Abort();
            await ((Task)Running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Partial?.Dispose();
        Bytes?.Dispose();
    }

    public void Dispose()
    {
        Trace?.Dispose();
        _whenStopping.Dispose();
        _whenLost.Dispose();
        _cancel.Dispose();
        _closed.TrySetResult();
    }

    private static async Task RunAfterAsync(Task before, Func<Task> run)
    {
        await Task.Yield();
        await before;
        await run();
    }

    private Task ConflictingWork(PartialAccess access) =>
        access switch
        {
            PartialAccess.Window => Task.CompletedTask,
            PartialAccess.HashRange => Task.WhenAll(
                _work.Where(other => other.Access == PartialAccess.Alone).Select(other => other.Task)
            ),
            _ => Task.WhenAll(_work.Select(other => other.Task)),
        };

    private Task[] UnderWay()
    {
        lock (_gate)
        {
            return [.. _work.Where(work => !work.Task.IsCompleted).Select(work => work.Task)];
        }
    }

    /// <summary>What is here may be of a removed file, or another's by now: nobody is to read it.</summary>
    private void StopReaders() => Partial?.Arriving?.Fail();

    private async Task<PartialFile> OpenPartialAsync()
    {
        var partial = Partial = store.OpenPartial(claim.Key, claim.Epoch, claim.Fingerprint, claim.Size);
        if (isInWindows)
        {
            partial.Share(claim.Generation, awaited);
            _whenStopping = stopping.Register(StopReaders);
            _whenLost = lost.Register(StopReaders);
            await partial.RevalidateFromDiskAsync(_cancel.Token);
        }

        // What an earlier attempt left here has its room already.
        RequireRoom(partial.Size - BytesProven);
        return partial;
    }
}

/// <summary>What may be done to a partial at the same time.</summary>
internal enum PartialAccess
{
    /// <summary>Puts chunks that are proven one by one.</summary>
    Window,

    /// <summary>Fills in some of the hashes.</summary>
    HashRange,

    /// <summary>Proves all of it, or puts what cannot be proven before its end.</summary>
    Alone,
}

/// <summary>There is no room for a content.</summary>
internal sealed class NoRoomException(string message) : Exception(message);
