namespace FileTransfer.Concurrency;

/// <summary>A background activity of this process, as its own loop reports it. A person may pause it for a while, and have some go at another pace.</summary>
/// <param name="name">Names it at the node.</param>
/// <param name="about">What it does, in words.</param>
/// <param name="usualPace">Between two rounds; null where it has no pace of its own.</param>
/// <param name="canPause">Whether a person may pause it.</param>
/// <param name="time">Tells when pauses end.</param>
public sealed class Worker(string name, string about, TimeSpan? usualPace, bool canPause, TimeProvider time)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan? _pace;

    public string Name => name;

    public string About => about;

    public bool CanPause => canPause;

    public bool HasPace => usualPace is not null;

    /// <summary>Between two rounds; null where it has no pace of its own.</summary>
    public TimeSpan? Pace => _pace ?? usualPace;

    /// <summary>Since when it is at work; null while it waits for work.</summary>
    public DateTimeOffset? WorkingSince { get; private set; }

    /// <summary>When it was at work last.</summary>
    public DateTimeOffset? EndedAt { get; private set; }

    /// <summary>Rounds that went well.</summary>
    public long Rounds { get; private set; }

    public string? LastError { get; private set; }

    public DateTimeOffset? LastErrorAt { get; private set; }

    /// <summary>When its pause ends by itself; null while it is not paused.</summary>
    public DateTimeOffset? PausedUntil
    {
        get
        {
            lock (_gate)
            {
                return field is { } until && until > time.GetUtcNow() ? until : null;
            }
        }
        private set;
    }

    /// <summary>How far it is, in words; null where there is nothing to say.</summary>
    public Func<string?> Progress { get; set; } = () => null;

    public void PauseFor(TimeSpan period)
    {
        lock (_gate)
        {
            PausedUntil = time.GetUtcNow() + period;
        }
    }

    public void Resume()
    {
        lock (_gate)
        {
            PausedUntil = null;
            _resumed.TrySetResult();
            _resumed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <param name="pace">Null = as usual.</param>
    public void Set(TimeSpan? pace) => _pace = pace;

    /// <summary>Waits while a person has it paused.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (PausedUntil is { } until)
        {
            Task resumed = _resumed.Task.WaitAsync(
                until - time.GetUtcNow() + TimeSpan.FromMilliseconds(1),
                time,
                cancellationToken
            );
            await resumed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Does a round of its work, once it is not paused. What it fails of is kept, and thrown as it is.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> round, CancellationToken cancellationToken)
    {
        await WaitAsync(cancellationToken);
        WorkingSince = time.GetUtcNow();
        try
        {
            var result = await round();
            Rounds++;
            return result;
        }
        catch (Exception fault) when (Note(fault))
        {
            throw;
        }
        finally
        {
            WorkingSince = null;
            EndedAt = time.GetUtcNow();
        }
    }

    /// <summary>The same for work without a result.</summary>
    public Task RunAsync(Func<Task> round, CancellationToken cancellationToken) =>
        RunAsync(
            async () =>
            {
                await round();
                return true;
            },
            cancellationToken
        );

    /// <returns>False: nobody catches it for this.</returns>
    private bool Note(Exception fault)
    {
        if (fault is not OperationCanceledException)
        {
            (LastError, LastErrorAt) = (fault.Message, time.GetUtcNow());
        }

        return false;
    }
}

/// <summary>The background activities of this process, as they come up.</summary>
public sealed class WorkerRegistry(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Worker> _workers = new(StringComparer.Ordinal);

    public IReadOnlyList<Worker> All => [.. _workers.Values.OrderBy(worker => worker.Name, StringComparer.Ordinal)];

    public Worker? Find(string name) => _workers.GetValueOrDefault(name);

    /// <summary>The worker of a name; one that was there before goes on, with its pause.</summary>
    /// <param name="about">What it does, in words.</param>
    /// <param name="pace">Between two rounds, where that can be set.</param>
    /// <param name="canPause">Whether a person may pause it.</param>
    public Worker Add(string name, string about, TimeSpan? pace = null, bool canPause = true) =>
        _workers.GetOrAdd(name, _ => new Worker(name, about, pace, canPause, time));
}
