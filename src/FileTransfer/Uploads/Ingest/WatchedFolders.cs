using FileTransfer.Cluster;

namespace FileTransfer.Uploads.Ingest;

/// <summary>Watches the folders that this node is configured to watch, each in a loop of its own.</summary>
internal sealed class WatchedFolders(
    IOptions<IngestOptions> options,
    FolderReader reader,
    IngestTable table,
    IngestPublisher publisher,
    ClusterMembership membership,
    LastDuties duties,
    TimeProvider time,
    ILogger<WatchedFolder> logger
) : BackgroundService
{
    public IReadOnlyList<WatchedFolder> All { get; } =
    [.. options.Value.Ingest.Select(folder => new WatchedFolder(folder, reader, table, publisher, time, logger))];

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (All.Count > 0)
        {
            duties.Add(
                "taking what is complete in watched folders",
                token => Task.WhenAll(All.Select(one => one.FinishAsync(token)))
            );
        }

        return Task.WhenAll(All.Select(one => membership.RunWhileJoinedAsync(one.WatchAsync, stoppingToken)));
    }
}
