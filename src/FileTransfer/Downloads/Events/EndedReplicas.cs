using System.Threading.Channels;
using FileTransfer.Catalog;
using FileTransfer.Cluster;
using FileTransfer.Identity;
using Npgsql;

namespace FileTransfer.Downloads.Events;

/// <summary>Tells of replicas of this node that were ended by a removal, a withdrawal or a policy, wherever that was decided.</summary>
/// <remarks>The notification names the file; why is read from the catalog, for many files at once where many are ended.</remarks>
public sealed partial class EndedReplicas(
    NodePresence presence,
    Replicas replicas,
    DownloadEvents events,
    SourceTrials trials,
    NodeId node,
    ILogger<EndedReplicas> logger
) : BackgroundService
{
    private const int AtOnce = 1000;

    /// <summary>A storm beyond this loses its oldest events, not its effect: readers see it when their state is read again.</summary>
    private readonly Channel<FileKey> _ended = Channel.CreateBounded<FileKey>(
        new BoundedChannelOptions(64 * 1024) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
    );

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        presence.Notified += OnNotified;
        try
        {
            while (await _ended.Reader.WaitToReadAsync(stoppingToken))
            {
                await TellAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
        finally
        {
            presence.Notified -= OnNotified;
        }
    }

    private void OnNotified(string channel, string payload)
    {
        if (
            channel == ReplicaQueue.EndedChannel
            && payload.Split(' ') is [var id, var hex]
            && id == node.Value
            && FileKey.TryParse(hex, out var key)
        )
        {
            _ended.Writer.TryWrite(key);
        }
    }

    private async Task TellAsync(CancellationToken cancellationToken)
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
                trials.Forget(key);
            }
        }
        catch (NpgsqlException e)
        {
            Log.NotTold(logger, keys.Count, node, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Followers of {Count} files ended at {Node} were not told: {Reason}")]
        public static partial void NotTold(ILogger logger, int count, NodeId node, string reason);
    }
}
