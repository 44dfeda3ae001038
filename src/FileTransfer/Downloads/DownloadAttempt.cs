using System.Runtime.ExceptionServices;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads;

/// <summary>One file that a lane has and the planner works on: its partial, opened by the first request that gets to work, and its requests.</summary>
internal sealed class DownloadAttempt(
    ClaimedReplica claim,
    TransferProgress progress,
    bool isInWindows,
    ChunkStore store,
    DiskPressure disk,
    CancellationToken cancellationToken
) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly TaskCompletionSource<AttemptOutcome?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(TransferWork Kind, Task Task)> _work = [];
    private readonly HashSet<SourceId> _answered = [];
    private Task<PartialFile>? _opening;
    private ExceptionDispatchInfo? _fault;

    public ClaimedReplica Claim => claim;

    /// <summary>Proven chunk by chunk with its hashes, and kept between attempts; a small content comes whole.</summary>
    public bool IsInWindows => isInWindows;

    /// <summary>Comes whole and is kept in memory until it is durable. Larger ones wait on disk: a lane has several at once, and each lane its own.</summary>
    public bool IsInMemory => !isInWindows && claim.Size <= BatchWeight.LargestContent;

    public PartialFile? Partial { get; private set; }

    /// <summary>The whole content, where it <see cref="IsInMemory"/>.</summary>
    public ProvenBytes? Bytes { get; set; }

    public long BytesProven => progress.BytesProven;

    /// <summary>Why it ended without the content; null when all of it is here.</summary>
    public Task<AttemptOutcome?> Ended => _ended.Task;

    /// <summary>Cancelled when nothing that is done for this file counts any more.</summary>
    public CancellationToken Aborted => _abort.Token;

    public void End(AttemptOutcome? given) => _ended.TrySetResult(given);

    /// <summary>This node failed, not a source: the first such fault is what came of it.</summary>
    public void Fail(Exception fault)
    {
        lock (_gate)
        {
            _fault ??= ExceptionDispatchInfo.Capture(fault);
        }
    }

    /// <summary>Does something for this file, after what is being done that it must not meet, and keeps it until it has ended.</summary>
    public void Start(TransferWork work, Func<Task> run)
    {
        lock (_gate)
        {
            _work.RemoveAll(static other => other.Task.IsCompleted);
            _work.Add((work, RunAsync(EndOfWhatMustNotMeet(work), run)));
        }
    }

    private Task[] UnderWay()
    {
        lock (_gate)
        {
            return [.. _work.Where(work => !work.Task.IsCompleted).Select(work => work.Task)];
        }
    }

    private static async Task RunAsync(Task before, Func<Task> run)
    {
        await Task.Yield();
        await before;
        await run();
    }

    private Task EndOfWhatMustNotMeet(TransferWork work) =>
        work switch
        {
            TransferWork.Window => Task.CompletedTask,
            TransferWork.HashRange => Task.WhenAll(
                _work.Where(other => other.Kind == TransferWork.Alone).Select(other => other.Task)
            ),
            _ => Task.WhenAll(_work.Select(other => other.Task)),
        };

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
            await _abort.CancelAsync();
            await Task.WhenAll(left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _fault?.Throw();
    }

    /// <summary>Keeps what is proven, or can be once its hashes are here, and leaves nothing else behind.</summary>
    public void Close()
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

    public void Dispose() => _abort.Dispose();

    private async Task<PartialFile> OpenPartialAsync()
    {
        var partial = store.OpenPartial(claim.Key, claim.Epoch, claim.Fingerprint, claim.Size);
        Partial = partial;
        progress.Follow(partial);
        if (isInWindows)
        {
            await partial.ReproveAsync(_abort.Token);
        }

        // What an earlier attempt left here has its room already.
        RequireRoom(partial.Size - progress.BytesProven);
        return partial;
    }
}

/// <summary>What may be done to a partial at the same time.</summary>
internal enum TransferWork
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
