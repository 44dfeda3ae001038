namespace FileTransfer.Bandwidth;

/// <summary>Brings back the limits that were set before a restart, and follows the timetables.</summary>
public sealed partial class LimitUpkeep(
    Database database,
    NodeLimits kept,
    TransferLimits limits,
    TimeProvider time,
    ILogger<LimitUpkeep> logger
) : BackgroundService
{
    private static readonly TimeSpan _afterFault = TimeSpan.FromSeconds(2);

    /// <summary>The machine's clock may be set, and its time zone change the hour.</summary>
    private static readonly TimeSpan _longestTrust = TimeSpan.FromMinutes(1);

    private readonly AsyncAutoResetEvent _changed = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        limits.Changed += _changed.Set;
        try
        {
            await Task.WhenAll(LoadAsync(stoppingToken), FollowAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped.
        }
        finally
        {
            limits.Changed -= _changed.Set;
        }
    }

    private async Task LoadAsync(CancellationToken stopping)
    {
        try
        {
            await database.WaitUntilReadyAsync(stopping);
        }
        catch (FatalStartException)
        {
            return; // The process ends of it, and says so.
        }

        while (true)
        {
            try
            {
                if (await kept.LoadAsync(stopping) is { } fault)
                {
                    Log.NotLoaded(logger, fault);
                }

                return;
            }
            catch (Exception e) when (DatabaseReach.IsFailure(e))
            {
                await Task.Delay(_afterFault, time, stopping);
            }
        }
    }

    private async Task FollowAsync(CancellationToken stopping)
    {
        while (true)
        {
            var left = limits.Enforce() ?? _longestTrust;

            // A moment later rather than earlier: the former rate must be over.
            var wait = (left < _longestTrust ? left : _longestTrust) + TimeSpan.FromMilliseconds(1);
            await _changed.WaitAsync(wait, time, stopping);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1000,
            LogLevel.Warning,
            "Could not restore the limits set earlier at this node, so the configured ones apply: {Reason}"
        )]
        public static partial void NotLoaded(ILogger logger, string reason);
    }
}
