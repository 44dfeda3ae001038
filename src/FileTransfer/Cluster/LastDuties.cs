namespace FileTransfer.Cluster;

/// <summary>What is still done when the node is told to stop, before it leaves office and its services end: within the drain time.</summary>
/// <remarks>New requests are refused meanwhile, those that run go on. A node without duties leaves office at once.</remarks>
/// <param name="limit">The drain time.</param>
public sealed partial class LastDuties(
    TimeSpan limit,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<LastDuties> logger
) : IHostedLifecycleService, IDisposable
{
    private readonly List<(string What, Func<CancellationToken, Task> DoAsync)> _duties = [];
    private readonly CancellationTokenSource _done = new();
    private int _lastOnes;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Fires when they have been done, or time is up.</summary>
    public CancellationToken Done => _done.Token;

    /// <summary>Adds what is done after the duties that were added before.</summary>
    /// <param name="what">In words.</param>
    /// <param name="doAsync">Ends early when it is cancelled.</param>
    public void Add(string what, Func<CancellationToken, Task> doAsync)
    {
        lock (_duties)
        {
            _duties.Insert(_duties.Count - _lastOnes, (what, doAsync));
        }
    }

    /// <summary>Adds what is done after all the others, whenever these are added.</summary>
    public void AddLast(string what, Func<CancellationToken, Task> doAsync)
    {
        lock (_duties)
        {
            _duties.Add((what, doAsync));
            _lastOnes++;
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(() => _ = DoAsync());
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>No service is stopped before.</summary>
    public Task StoppingAsync(CancellationToken cancellationToken) => _ended.Task.WaitAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _done.Dispose();

    private async Task DoAsync()
    {
        using var until = new CancellationTokenSource(limit, time);
        foreach (var (what, doAsync) in All())
        {
            try
            {
                await doAsync(until.Token);
            }
            catch (Exception fault)
            {
                Log.NotDone(logger, what, until.IsCancellationRequested ? $"not within {limit}" : fault.Message);
            }
        }

        await _done.CancelAsync();
        _ended.SetResult();
    }

    private List<(string What, Func<CancellationToken, Task> DoAsync)> All()
    {
        lock (_duties)
        {
            return [.. _duties];
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2150, LogLevel.Warning, "Stopping: {What} was not done ({Reason}); it goes on at the next start")]
        public static partial void NotDone(ILogger logger, string what, string reason);
    }
}
