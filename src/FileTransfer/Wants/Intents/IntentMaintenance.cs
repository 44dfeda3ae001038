using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Downloads;

namespace FileTransfer.Wants.Intents;

/// <summary>Ends intents whose file is stored, failed or removed, and sees to it that every other one is served; every poll interval while there are any.</summary>
public sealed partial class IntentMaintenance(
    IntentTable intents,
    ClusterMembership membership,
    NodePulse pulse,
    QueueSignal queue,
    NodeId node,
    WorkerRegistry workers,
    IOptions<DownloadOptions> options,
    TimeProvider time,
    ILogger<IntentMaintenance> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var any = pulse.Ask(IntentTable.HasAnyToMaintain);
        await membership.RunWhileJoinedAsync(joined => MaintainAsync(any, joined), stoppingToken);
    }

    private async Task MaintainAsync(PulseQuestion any, CancellationToken cancellationToken)
    {
        var worker = workers.Add(
            "intents",
            "ends intents that are fulfilled, and has the others served",
            options.Value.PollInterval
        );
        while (true)
        {
            try
            {
                if (any.Holds && await worker.RunAsync(() => intents.MaintainAsync(cancellationToken), cancellationToken) > 0)
                {
                    queue.Set();
                }
            }
            catch (Exception e) when (DatabaseReach.IsFailure(e))
            {
                Log.MaintenanceFailed(logger, node, e.Message);
            }

            await Task.Delay(worker.Pace!.Value, time, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1300, LogLevel.Warning, "Intent maintenance failed on {Node}; retrying: {Reason}")]
        public static partial void MaintenanceFailed(ILogger logger, NodeId node, string reason);
    }
}
