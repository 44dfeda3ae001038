using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;

namespace FileTransfer.Downloads;

/// <summary>Ends <c>failed</c> by itself: tries one file of each cause from time to time, and all of a cause when one went well.</summary>
/// <remarks>
/// Also at once when a node of the cluster was started anew, has moved or is heard of again. The pauses grow while the trials fail, so
/// that a source that stays broken is asked for one file every ten minutes, and nothing waits for a person for ever.
/// </remarks>
public sealed partial class FailedFiles(
    NodeDirectory nodes,
    ThisNode node,
    IOptions<DownloadOptions> options,
    TimeProvider time,
    ILogger<FailedFiles> logger
)
{
    private static readonly Backoff _backoff = new(TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(10));
    private static readonly TimeSpan _lookPeriod = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<FileKey, Cause> _trials = new();
    private readonly ConcurrentQueue<Cause> _mended = new();
    private HashSet<(NodeId, Uri, DateTimeOffset)>? _alive;
    private int _trialsInVain;
    private volatile bool _hasReturned = true;
    private long _triedAt;
    private long? _lookedAt;

    /// <summary>A file is stored. Where it was a trial, what it failed for is mended.</summary>
    public void Stored(FileKey file)
    {
        if (!_trials.IsEmpty && _trials.TryRemove(file, out var cause))
        {
            _mended.Enqueue(cause);
        }
    }

    /// <summary>Whoever failed before may do better now: a source has come back. The next look tries it.</summary>
    public void RetrySoon() => _hasReturned = true;

    /// <summary>Looks, every few seconds, whether a node has come back, was started anew or has moved.</summary>
    public async Task NoticeReturnsAsync(CancellationToken cancellationToken)
    {
        if (_lookedAt is { } looked && time.GetElapsedTime(looked) < _lookPeriod)
        {
            return;
        }

        _lookedAt = time.GetTimestamp();
        var alive = (await nodes.AllAsync(cancellationToken))
            .Where(other => other.IsAlive && other.Node != node.Id)
            .Select(other => (other.Node, other.Url, other.StartedAt))
            .ToHashSet();
        if (_alive is { } before && !alive.IsSubsetOf(before))
        {
            RetrySoon();
        }

        _alive = alive;
    }

    /// <summary>Makes ready what is due to be tried.</summary>
    /// <returns>How many replicas became ready.</returns>
    public async Task<int> LookAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var ready = 0;
        while (_mended.TryDequeue(out var mended))
        {
            _trialsInVain = 0;
            var again = await ReplicaTransitions.TryAllOfCauseAsync(connection, node.Id, mended.Slug, cancellationToken);
            ready += again;
            if (again > 0)
            {
                Log.TriedAgain(logger, again, node.Id, mended.Slug ?? "unknown");
            }
        }

        if (!_hasReturned && time.GetElapsedTime(_triedAt) < _backoff.Bound(_trialsInVain))
        {
            return ready;
        }

        return ready + await TryOnesAsync(connection, cancellationToken);
    }

    private async Task<int> TryOnesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Whoever failed a moment ago may do better only where something has changed since.
        var age = _hasReturned ? TimeSpan.Zero : _backoff.First;
        _trialsInVain = _hasReturned ? 0 : _trialsInVain + 1;
        _hasReturned = false;
        _triedAt = time.GetTimestamp();
        _trials.Clear();
        var ones = await ReplicaTransitions.TryOneOfEachCauseAsync(
            connection,
            node.Id,
            options.Value.MaxAttempts - 1,
            age,
            cancellationToken
        );
        foreach (var (file, cause) in ones)
        {
            _trials[file] = new Cause(cause);
            Log.Trial(logger, file, node.Id, cause ?? "unknown");
        }

        if (ones.Count == 0)
        {
            _trialsInVain = 0;
        }

        return ones.Count;
    }

    private readonly record struct Cause(string? Slug);

    private static partial class Log
    {
        [LoggerMessage(
            1630,
            LogLevel.Information,
            "Retrying {FileKey}, which had failed at {Node} ({Cause}), to see whether it still does"
        )]
        public static partial void Trial(ILogger logger, FileKey fileKey, NodeId node, string cause);

        [LoggerMessage(
            1631,
            LogLevel.Information,
            "Retrying {Count} files that had failed at {Node} ({Cause}): one of them succeeded"
        )]
        public static partial void TriedAgain(ILogger logger, int count, NodeId node, string cause);
    }
}
