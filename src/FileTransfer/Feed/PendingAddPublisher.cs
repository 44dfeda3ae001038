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

    /// <summary>While downloads go on storing files, all that are registered are looked through so often.</summary>
    private static readonly TimeSpan _lookAgain = TimeSpan.FromSeconds(10);

    /// <summary>Of more than this, those that are left out are found by looking through all that are registered.</summary>
    private const int MostKnown = 16 * 1024;

    private readonly ConcurrentQueue<FileKey> _known = new();
    private readonly AsyncAutoResetEvent _due = new();

    /// <summary>There are registered files, and whether some of them are stored was not looked for since.</summary>
    private volatile bool _mayBeMore;
    private long _lookedAt;

    /// <summary>Downloads have stored files here, whose Adds may be due.</summary>
    public void Stored(IEnumerable<FileKey> files)
    {
        if (leadership.IsLeading)
        {
            foreach (var file in files.TakeWhile(_ => _known.Count < MostKnown))
            {
                _known.Enqueue(file);
            }

            _due.Set();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var registered = pulse.Ask($"({FileCatalog.HasRegistered} OR {DueClaims.Any})", LookForAll);
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
                    if (_known.IsEmpty && !_mayBeMore)
                    {
                        break;
                    }

                    var added = await worker.RunAsync(() => AppendSomeAsync(cancellationToken), cancellationToken);
                    if (added.Count == 0)
                    {
                        continue;
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

            await _due.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }
    }

    private void LookForAll()
    {
        // What is known comes first, as a rule: with the next heartbeat there is less to look through.
        if (_known.IsEmpty || time.GetElapsedTime(Interlocked.Read(ref _lookedAt)) >= _lookAgain)
        {
            _mayBeMore = true;
            _due.Set();
        }
    }

    private async Task<IReadOnlyList<FileKey>> AppendSomeAsync(CancellationToken cancellationToken)
    {
        if (!_mayBeMore)
        {
            return await commands.AddStoredAsync(TakeKnown(), cancellationToken);
        }

        _mayBeMore = false;
        Interlocked.Exchange(ref _lookedAt, time.GetTimestamp());
        var added = await commands.AddAllStoredAsync(cancellationToken);
        _mayBeMore |= added.Count >= FileCommands.AddsAtOnce;
        return added;
    }

    private List<FileKey> TakeKnown()
    {
        var known = new List<FileKey>();
        while (known.Count < FileCommands.AddsAtOnce && _known.TryDequeue(out var file))
        {
            known.Add(file);
        }

        return known;
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
