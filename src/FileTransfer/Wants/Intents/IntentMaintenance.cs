using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Downloads;

namespace FileTransfer.Wants.Intents;

/// <summary>Ends intents whose file is stored, failed or removed, and sees to it that every other one is served; every poll interval.</summary>
public sealed partial class IntentMaintenance(
    IntentTable intents,
    ClusterMembership membership,
    QueueSignal queue,
    NodeId node,
    IOptions<DownloadOptions> options,
    TimeProvider time,
    ILogger<IntentMaintenance> logger
) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        membership.RunWhileJoinedAsync(MaintainAsync, stoppingToken);

    private async Task MaintainAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (await intents.MaintainAsync(cancellationToken) > 0)
                {
                    queue.Set();
                }
            }
            catch (Exception e) when (DatabaseReach.IsFailure(e))
            {
                Log.MaintenanceFailed(logger, node, e.Message);
            }

            await Task.Delay(options.Value.PollInterval, time, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1300, LogLevel.Warning, "Intent maintenance failed on {Node}; retrying: {Reason}")]
        public static partial void MaintenanceFailed(ILogger logger, NodeId node, string reason);
    }
}
