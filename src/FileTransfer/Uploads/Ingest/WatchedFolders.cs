using FileTransfer.Cluster;

namespace FileTransfer.Uploads.Ingest;

/// <summary>Watches the folders that this node is configured to watch, each in a loop of its own.</summary>
internal sealed class WatchedFolders : BackgroundService
{
    private readonly ClusterMembership _membership;

    public WatchedFolders(
        IOptions<IngestOptions> options,
        FolderReader reader,
        IngestTable table,
        IngestPublisher publisher,
        ClusterMembership membership,
        LastDuties duties,
        WorkerRegistry workers,
        TimeProvider time,
        ILogger<WatchedFolder> logger
    )
    {
        _membership = membership;
        All =
        [
            .. options.Value.Ingest.Select(folder => new WatchedFolder(
                folder,
                new FolderIntake(
                    folder,
                    reader,
                    table,
                    publisher,
                    new QuietFiles(folder.QuietFor, 4 * WatchedFolder.PageSize, time),
                    time,
                    logger
                ),
                table,
                workers.Add($"folder {folder.Name}", "takes what is complete in a watched folder"),
                time,
                logger
            )),
        ];
        if (All.Count > 0)
        {
            // Before any service starts: what is taken then is passed on by those that add their duties later.
            duties.Add(
                "taking what is complete in watched folders",
                token => Task.WhenAll(All.Select(one => one.FinishAsync(token)))
            );
        }
    }

    public IReadOnlyList<WatchedFolder> All { get; }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(All.Select(one => _membership.RunWhileJoinedAsync(one.WatchAsync, stoppingToken)));
}
