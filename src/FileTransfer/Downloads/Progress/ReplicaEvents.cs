using System.Threading.Channels;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads.Progress;

/// <summary>
/// Publishes what becomes of this node's replicas outside a download: wanted, uploaded, or ended by a removal, a withdrawal or a policy, wherever
/// that was decided.
/// </summary>
/// <remarks>A notification names the file that was ended; why is read from the catalog, for many files at once where many are.</remarks>
public sealed partial class ReplicaEvents(
    Database database,
    ReplicaTable replicas,
    ReplicaChanges changes,
    DownloadEvents events,
    SourceAttemptHistory history,
    NodeId node,
    ILogger<ReplicaEvents> logger
) : BackgroundService
{
    private const int AtOnce = 1000;

    /// <summary>A storm beyond this loses its oldest events, not its effect: readers see it when their state is read again.</summary>
    private readonly Channel<FileKey> _ended = Channel.CreateBounded<FileKey>(
        new BoundedChannelOptions(64 * 1024) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
    );

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ended = database.Notifications.Subscribe(ReplicaNotifications.Ended, OnEnded);
        changes.Wanted += OnWanted;
        changes.Uploaded += OnUploaded;
        changes.Damaged += OnDamaged;
        try
        {
            while (await _ended.Reader.WaitToReadAsync(stoppingToken))
            {
                await PublishEndedAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
        finally
        {
            changes.Wanted -= OnWanted;
            changes.Uploaded -= OnUploaded;
            changes.Damaged -= OnDamaged;
        }
    }

    private void OnWanted(IReadOnlyList<ReplicaChange> files) => Publish(files, DownloadEventKind.Wanted, reason: null);

    private void OnUploaded(ReplicaChange file) =>
        events.Publish(
            new DownloadEvent(file.Key, DownloadEventKind.Done, null, file.Size, file.Size, "its content was uploaded", null)
        );

    private void OnDamaged(IReadOnlyList<ReplicaChange> files, string reason) =>
        Publish(files, DownloadEventKind.Damaged, reason);

    private void Publish(IReadOnlyList<ReplicaChange> files, DownloadEventKind kind, string? reason)
    {
        foreach (var file in files)
        {
            events.Publish(new DownloadEvent(file.Key, kind, null, 0, file.Size, reason, null));
        }
    }

    private void OnEnded(EndedReplica ended)
    {
        if (ended.Node == node)
        {
            _ended.Writer.TryWrite(ended.Key);
        }
    }

    private async Task PublishEndedAsync(CancellationToken cancellationToken)
    {
        var keys = new HashSet<FileKey>();
        while (keys.Count < AtOnce && _ended.Reader.TryRead(out var key))
        {
            keys.Add(key);
        }

        try
        {
            foreach (var (key, size, reason) in await replicas.WhyEndedAsync(node, keys, cancellationToken))
            {
                events.Publish(new DownloadEvent(key, DownloadEventKind.Withdrawn, null, 0, size, reason, null));
                history.Forget(key);
            }
        }
        catch (Exception e) when (DatabaseReach.IsFailure(e))
        {
            Log.NotPublished(logger, keys.Count, node, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1670, LogLevel.Warning, "Could not tell event readers why {Count} files ended at {Node}: {Reason}")]
        public static partial void NotPublished(ILogger logger, int count, NodeId node, string reason);
    }
}
