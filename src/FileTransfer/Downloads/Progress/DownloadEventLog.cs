namespace FileTransfer.Downloads.Progress;

/// <summary>An event with its position in the log: 1, 2, 3 …</summary>
public sealed class LoggedEvent(long position, DateTimeOffset at, DownloadEvent happened)
{
    private byte[]? _frame;

    public long Position => position;

    public DateTimeOffset At => at;

    public DownloadEvent Event => happened;

    /// <summary>The event as it is sent, made once for all who read it soon.</summary>
    internal byte[] FrameOf(Func<LoggedEvent, byte[]> make) => _frame ??= make(this);

    /// <summary>Whoever still has to read it makes it anew.</summary>
    internal void ForgetFrame() => _frame = null;
}

/// <summary>The newest events of this process, in order, for any number of readers who each keep their own position.</summary>
/// <remarks>
/// Bounded: the <see cref="Kept"/> newest. A reader who is slower than that is told so (<see cref="TryRead"/>) and costs nothing meanwhile.
/// </remarks>
public sealed class DownloadEventLog(TimeProvider time)
{
    internal const int Kept = 16 * 1024;

    /// <summary>So many of the newest keep their frames.</summary>
    internal const int FramesKept = 1024;

    private readonly Lock _gate = new();
    private readonly LoggedEvent?[] _ring = new LoggedEvent?[Kept];

    /// <summary>Positions begin anew with each process; ids of another one are told apart by this.</summary>
    private readonly long _run = time.GetUtcNow().UtcTicks;

    private long _newest;
    private TaskCompletionSource? _waiters;

    public long Newest => Interlocked.Read(ref _newest);

    public void Append(DownloadEvent happened)
    {
        TaskCompletionSource? waiters;
        lock (_gate)
        {
            var position = _newest + 1;
            _ring[position % Kept] = new LoggedEvent(position, time.GetUtcNow(), happened);
            _ring[(position + Kept - FramesKept) % Kept]?.ForgetFrame();
            Interlocked.Exchange(ref _newest, position);
            (waiters, _waiters) = (_waiters, null);
        }

        waiters?.TrySetResult();
    }

    /// <summary>Adds events after <paramref name="position"/> to <paramref name="into"/>, oldest first.</summary>
    /// <returns>False when some of them are not kept any more; nothing was added.</returns>
    public bool TryRead(long position, int atMost, ICollection<LoggedEvent> into)
    {
        lock (_gate)
        {
            if (position > _newest || position < _newest - Kept)
            {
                return false;
            }

            var last = Math.Min(_newest, position + atMost);
            for (var next = position + 1; next <= last; next++)
            {
                into.Add(_ring[next % Kept]!);
            }

            return true;
        }
    }

    /// <summary>Waits until there is an event after <paramref name="position"/>, or until <paramref name="atMost"/> has passed.</summary>
    public async Task WaitAsync(long position, TimeSpan atMost, CancellationToken cancellationToken)
    {
        // One registration and one timer: many readers wait for the same event. That time is up is no fault.
        await NextAsync(position)
            .WaitAsync(atMost, time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private Task NextAsync(long position)
    {
        lock (_gate)
        {
            if (_newest > position)
            {
                return Task.CompletedTask;
            }

            _waiters ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiters.Task;
        }
    }

    /// <summary>The position as a reader keeps it.</summary>
    public string IdOf(long position) => string.Create(CultureInfo.InvariantCulture, $"{_run:x}-{position}");

    /// <summary>The position of an id; null where it is of another process, or no id.</summary>
    public long? PositionOf(string? id) =>
        id?.Split('-') is [var run, var number]
        && long.TryParse(run, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var written)
        && written == _run
        && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? position
            : null;
}
