using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

/// <summary>A content under way, as those see it who read it meanwhile: what of it is here and proven, and what is about to come.</summary>
/// <remarks>
/// <para>Only chunks count that are written and that a proven hash proves. Whoever waits for one waits until it comes, until the download has
/// ended without the whole, or as long as he likes; the download waits for nobody.</para>
/// <para>It ends once. Stored: whoever reads it goes on to its end, as with any stored content. Not stored, because the download failed, its
/// file was removed or its claim is over: everybody who reads it is to stop at once (<see cref="Failed"/>).</para>
/// </remarks>
#pragma warning disable CA1001 // The last who looks at Failed is not known, and without a timer there is nothing to free.
public sealed class ArrivingContent
#pragma warning restore CA1001
{
    private readonly Lock _gate = new();
    private readonly PartialFile _partial;
    private readonly ChunkStore _store;
    private readonly Action<long> _awaited;
    private readonly CancellationTokenSource _failed = new();
    private readonly List<ChunkRange> _coming = [];
    private readonly List<ArrivalFeed> _feeds = [];
    private TaskCompletionSource? _changed;
    private bool? _isStored;

    // The partial, and the download, which has it open to readers until it has ended: a reader may come after it was made durable.
    private int _users = 2;

    internal ArrivingContent(PartialFile partial, ChunkStore store, int generation, Action<long> awaited)
    {
        _partial = partial;
        _awaited = awaited;
        _store = store;
        Generation = generation;
    }

    public FileKey Key => _partial.Key;

    public Fingerprint Fingerprint => _partial.Fingerprint;

    public long Size => _partial.Size;

    /// <summary>The registration of the file that it is brought for.</summary>
    public int Generation { get; }

    /// <summary>Cancelled when the download has ended, and not with a stored content.</summary>
    public CancellationToken Failed => _failed.Token;

    /// <summary>Whether its hashes are proven: before that nothing of it is read.</summary>
    public bool IsReadable => _partial.HashesProven;

    internal ChunkHashes Hashes => _partial.Hashes;

    /// <summary>Whether a chunk is here, or being sent to this node.</summary>
    public bool IsHereOrComing(long chunk)
    {
        lock (_gate)
        {
            return _coming.Exists(range => range.First <= chunk && chunk < range.End) || _partial.EndOfRun(chunk) > chunk;
        }
    }

    /// <summary>Waits for a chunk.</summary>
    /// <param name="asks">Whether the download is to bring it before others.</param>
    /// <returns>The end of the run of chunks here that begins with it.</returns>
    /// <exception cref="OperationCanceledException">It did not come in time, or the download has failed.</exception>
    public ValueTask<long> WaitAsync(
        long chunk,
        bool asks,
        TimeSpan patience,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        !Failed.IsCancellationRequested && _partial.EndOfRun(chunk) is var here && here > chunk
            ? ValueTask.FromResult(here)
            : AwaitAsync(chunk, asks, patience, time, cancellationToken);

    /// <summary>Follows what comes, from what is here now on.</summary>
    public ArrivalFeed Follow()
    {
        var feed = new ArrivalFeed(this);
        lock (_gate)
        {
            _feeds.Add(feed);
            feed.IsComingTold = _coming.Count == 0;
            _partial.Runs().ForEach(run => feed.Here.Add(run.First, run.End));
        }

        return feed;
    }

    /// <summary>Chunks that a source has begun to send. It ends when that is disposed.</summary>
    public IDisposable Expect(ChunkRange chunks)
    {
        lock (_gate)
        {
            _coming.Add(chunks);
            _feeds.ForEach(feed => feed.IsComingTold = false);
        }

        SignalChange();
        return new Expected(this, chunks);
    }

    /// <summary>The file is stored: there is nothing more to wait for.</summary>
    public void Complete() => End(stored: true);

    /// <summary>Nothing more comes, and what is here is not to be read any more. Nothing happens when it has ended already.</summary>
    public void Fail() => End(stored: false);

    internal IReadOnlyList<ChunkRange> Coming => [.. _coming];

    internal Lock Gate => _gate;

    /// <summary>How it ended; null while it is under way.</summary>
    internal bool? IsStored => _isStored;

    internal void Leave(ArrivalFeed feed)
    {
        lock (_gate)
        {
            _feeds.Remove(feed);
        }
    }

    internal Task Changed()
    {
        lock (_gate)
        {
            return (_changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    internal OpenContent? TryOpen()
    {
        lock (_gate)
        {
            if (!_partial.HashesProven || _isStored is not null)
            {
                return null;
            }

            _users++;
        }

        return new OpenContent(_partial.Data, this);
    }

    /// <summary>The partial, the download or a reader does not use its files any more.</summary>
    internal void Release()
    {
        lock (_gate)
        {
            if (--_users > 0)
            {
                return;
            }
        }

        _partial.CloseFiles();
    }

    /// <summary>Its hashes are proven.</summary>
    internal void Begin()
    {
        _store.Readable.Set(Key);
        SignalChange();
    }

    internal void Arrived(long first, long end)
    {
        if (_feeds.Count > 0)
        {
            lock (_gate)
            {
                _feeds.ForEach(feed => feed.Here.Add(first, end));
            }
        }

        SignalChange();
    }

    private async ValueTask<long> AwaitAsync(
        long chunk,
        bool asks,
        TimeSpan patience,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        using var late = new CancellationTokenSource(patience, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Failed, late.Token);
        if (asks)
        {
            _awaited(chunk);
        }

        while (true)
        {
            // Noted before the look: what comes between the two is not missed.
            var changed = Changed();
            ends.Token.ThrowIfCancellationRequested();
            if (_partial.EndOfRun(chunk) is var here && here > chunk)
            {
                return here;
            }

            await changed.WaitAsync(ends.Token);
        }
    }

    private void SignalChange()
    {
        if (Volatile.Read(ref _changed) is not null)
        {
            TaskCompletionSource? changed;
            lock (_gate)
            {
                (changed, _changed) = (_changed, null);
            }

            changed?.TrySetResult();
        }
    }

    private void End(bool stored)
    {
        lock (_gate)
        {
            if (_isStored is not null)
            {
                return;
            }

            _isStored = stored;
        }

        _store.Forget(this);
        if (!stored)
        {
            // Not here: what runs when it is cancelled aborts connections.
            _ = _failed.CancelAsync();
        }

        SignalChange();
        Release();
    }

    private sealed class Expected(ArrivingContent content, ChunkRange chunks) : IDisposable
    {
        public void Dispose()
        {
            lock (content._gate)
            {
                content._coming.Remove(chunks);
                content._feeds.ForEach(feed => feed.IsComingTold = false);
            }

            content.SignalChange();
        }
    }
}
