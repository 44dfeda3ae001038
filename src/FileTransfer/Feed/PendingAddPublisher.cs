using FileTransfer.Catalog;
using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed;

/// <summary>At the leader: appends the Adds of files that became stored here before this node led, or by a download, or were claimed at another node.</summary>
/// <remarks>
/// As a rule an Add is appended with the upload that stores the file. But a registered file can be stored without one: its content was
/// here under another key, it came from a source outside the cluster, or to a node that leads only since. A kill between the two leaves the
/// file stored and its Add due: to the same node when it leads again, else to its successor.
/// </remarks>
public sealed partial class PendingAddPublisher(
    FileCommands commands,
    Leadership leadership,
    ClusterMembership membership,
    NodePulse pulse,
    ThisNode node,
    WorkerRegistry workers,
    TimeProvider time,
    ILogger<PendingAddPublisher> logger
) : BackgroundService
{
    private static readonly TimeSpan _longestPause = TimeSpan.FromMilliseconds(500);

    private readonly AsyncAutoResetEvent _stored = new();

    /// <summary>A download has stored a file here, whose Add may be due.</summary>
    public void Wake() => _stored.Set();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var registered = pulse.Ask($"({FileCatalog.HasRegistered} OR {DueClaims.Any})", _stored.Set);
        await membership.RunWhileJoinedAsync(AppendAsync, stoppingToken);
    }

    private async Task AppendAsync(CancellationToken cancellationToken)
    {
        var worker = workers.Add("pending-adds", "appends Adds of files that were stored without an upload, at the leader");
        while (true)
        {
            try
            {
                for (var began = time.GetTimestamp(); leadership.IsLeading; began = time.GetTimestamp())
                {
                    var added = await worker.RunAsync(() => commands.AddStoredAsync(cancellationToken), cancellationToken);
                    if (added.Count == 0)
                    {
                        break;
                    }

                    Log.Added(logger, added.Count, node.Id);

                    // Downloads go on meanwhile: what they store is appended together.
                    await Task.Delay(PauseAfter(time.GetElapsedTime(began)), time, cancellationToken);
                }
            }
            catch (NotLeadingException)
            {
                // Whoever leads now does it.
            }

            await _stored.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }
    }

    private static TimeSpan PauseAfter(TimeSpan took) => 4 * took < _longestPause ? 4 * took : _longestPause;

    private static partial class Log
    {
        [LoggerMessage(
            1720,
            LogLevel.Information,
            "Added {Count} files at {Node} that were stored without an upload, or claimed at another node"
        )]
        public static partial void Added(ILogger logger, int count, NodeId node);
    }
}
