using System.Data;
using FileTransfer.Cluster.Peers;

namespace FileTransfer.Cluster;

/// <summary>Keeps this node joined to the cluster: one session that holds the node's own lock, hears notifications and tells it is alive.</summary>
/// <remarks>
/// A node id belongs to one process at a time, and the lock on it is the proof. Everything that works for the node (lanes, feed reader,
/// election) runs only while it is held: <see cref="RunWhileJoinedAsync"/>.
/// </remarks>
public sealed partial class ClusterMembership(
    Database database,
    ThisNode node,
    CatalogGate gate,
    NodeDirectory nodes,
    NodePulse pulse,
    Leadership leadership,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<ClusterMembership> logger
) : BackgroundService
{
    /// <summary>How long a second process with the same node id waits for the first to go: longer than a dead connection is kept.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _heartbeat = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _unreadablePause = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _lastLook = TimeSpan.FromSeconds(2);

    /// <summary>After so many heartbeats it is looked whether the catalog is still the folder's.</summary>
    private const int BeatsPerLook = 5;

    private readonly Guid _instance = Guid.NewGuid();
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private volatile TaskCompletionSource<LockConnection> _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsJoined => _joined.Task is { IsCompletedSuccessfully: true, Result.Lost.IsCancellationRequested: false };

    /// <summary>Why the node has not joined, in words; null while it has.</summary>
    public string? NotJoinedBecause { get; private set; } = "it is starting";

    private AdvisoryLockKey NodeLock { get; } = NodeDirectory.LockOf(node.ClusterId, node.Id);

    /// <summary>Runs <paramref name="work"/> whenever the node has joined and cancels it when its session is lost, until stopped.</summary>
    public async Task RunWhileJoinedAsync(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var session = await _joined.Task.WaitAsync(stopping);
            using var during = CancellationTokenSource.CreateLinkedTokenSource(stopping, session.Lost);
            try
            {
                await work(during.Token);
            }
            catch (Exception e) when (stopping.IsCancellationRequested && IsPassing(e))
            {
                return; // The driver tells a cancelled connecting as a failed one.
            }
            catch (Exception e) when (!stopping.IsCancellationRequested && (session.Lost.IsCancellationRequested || IsPassing(e)))
            {
                // ExecuteAsync tells that the session is lost; that ends everybody's work, and one line is enough. What was cancelled otherwise
                // had lost a session of its own a moment before: the leader's, of which LeaderElection tells.
                var isTold = session.Lost.IsCancellationRequested || e is OperationCanceledException;
                var level = isTold ? LogLevel.Debug : LogLevel.Warning;
                var cause = DatabaseReach.CauseOf(e);
                Log.Interrupted(logger, level, node.Id.Value, cause);
                await Task.Delay(_pause, time, stopping);
            }
            catch (Exception e)
                when (!stopping.IsCancellationRequested && e is DataException or JsonException or InvalidCastException)
            {
                // A row that this program has not written holds up what reads it, and not the process.
                Log.Unreadable(logger, e, node.Id.Value);
                await Task.Delay(_unreadablePause, time, stopping);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await ListeningAsync(stoppingToken);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await database.WaitUntilReadyAsync(stoppingToken);
                await StayJoinedAsync(stoppingToken);
            }
            catch (Exception e) when (stoppingToken.IsCancellationRequested && IsPassing(e))
            {
                return;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested && IsPassing(e))
            {
                NotJoinedBecause = DatabaseReach.CauseOf(e);
                database.Reach.Lost(NotJoinedBecause);
                await Task.Delay(_pause, time, stoppingToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                NotJoinedBecause = $"its data folder could not be written: {e.Message}";
                Log.NotJoined(logger, node.Id.Value, e.Message);
                await Task.Delay(_pause, time, stoppingToken);
            }
        }
    }

    /// <summary>The advertised address may be the one the server binds, so nothing is told before it does.</summary>
    private async Task ListeningAsync(CancellationToken stopping)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stopping);
    }

    private async Task StayJoinedAsync(CancellationToken stopping)
    {
        await using var session = await database.OpenSessionAsync($"{node.Id}/node", stopping);
        database.Reach.Regained();
        await using var lease = await TakeNodeLockAsync(session, stopping);
        session.Notified += database.Notifications.Deliver;
        await session.UseAsync(JoinAsync, stopping);

        // What the pool had open may be at another server.
        database.Pool.Clear();
        NotJoinedBecause = null;
        _joined.SetResult(session);
        Log.Joined(logger, node.Id.Value, node.Url, session.BackendPid);
        try
        {
            using var during = CancellationTokenSource.CreateLinkedTokenSource(stopping, session.Lost);
            for (var beats = 1; ; beats++)
            {
                var looks = beats % BeatsPerLook == 0;
                await session.UseAsync((connection, token) => BeatAsync(connection, looks, token), during.Token);
                await Task.Delay(_heartbeat, time, during.Token);
            }
        }
        catch (OperationCanceledException) when (session.Lost.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            throw new LockConnectionLostException(session.LostBecause ?? "the session ended");
        }
        finally
        {
            database.Joined.Clear();
            await LookOnceMoreAsync(session);
            NotJoinedBecause = "its connection to the database was lost";
            _joined = new TaskCompletionSource<LockConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>At a clean stop: what is written down of the catalog is what it was at the end.</summary>
    private async Task LookOnceMoreAsync(LockConnection session)
    {
        if (session.Lost.IsCancellationRequested)
        {
            return;
        }

        try
        {
            using var limit = new CancellationTokenSource(_lastLook, time);
            await session.UseAsync(gate.RefreshAsync, limit.Token);
        }
        catch (Exception e) when (IsPassing(e) || e is FatalStartException or IOException)
        {
            Log.NotLookedOnceMore(logger, node.Id.Value, e.Message);
        }
    }

    private async Task<AdvisoryLockHandle> TakeNodeLockAsync(LockConnection session, CancellationToken stopping)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            if (await AdvisoryLockHandle.TryAcquireAsync(session, NodeLock, stopping) is { } lease)
            {
                return lease;
            }

            if (time.GetElapsedTime(since) > _patience)
            {
                throw new FatalStartException(
                    $"Another process runs as node '{node.Id}' of cluster '{node.ClusterId}'. "
                        + "Stop it, or give this one a FileTransfer:NodeId of its own."
                );
            }

            NotJoinedBecause = $"another process runs as node '{node.Id}'; waiting for it to go";
            Log.NodeIdInUse(logger, node.Id.Value, node.ClusterId, _patience.TotalSeconds);
            await Task.Delay(_pause, time, stopping);
        }
    }

    private async Task JoinAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string listen =
            "LISTEN filetransfer_feed; LISTEN filetransfer_ended; LISTEN filetransfer_ready; LISTEN filetransfer_tokens; LISTEN filetransfer_trust";
        var admission = await gate.AdmitAsync(connection, cancellationToken);
        await gate.JoinAsync(connection, admission, cancellationToken);
        await nodes.RegisterAsync(connection, _instance, _startedAt, cancellationToken);
        await connection.ExecuteAsync(listen, null, cancellationToken);
    }

    /// <summary>Tells that the node is alive, and hears what time it is there, which catalog that is, and what there is to do.</summary>
    private async Task BeatAsync(NpgsqlConnection connection, bool looks, CancellationToken cancellationToken)
    {
        var (questions, answer) = pulse.Next();
        var asked = time.GetTimestamp();
        var beat = await nodes.BeatAsync(
            connection,
            _instance,
            pulse.NextBeside(),
            questions,
            gate.KnownHeads,
            cancellationToken
        );
        if (beat is var (look, there, answers))
        {
            database.Clock.Observe(there, asked);
            leadership.See(CatalogSight.Of(look.Found, node));
            answer(answers);
        }

        if (looks)
        {
            await (
                beat is { Look: var seen }
                    ? gate.RefreshAsync(connection, seen, cancellationToken)
                    : gate.RefreshAsync(connection, cancellationToken)
            );
        }
    }

    /// <summary>What a working database brings back: nothing to stop for.</summary>
    internal static bool IsPassing(Exception e) =>
        e is LockConnectionLostException or OperationCanceledException || DatabaseReach.IsFailure(e);

    private static partial class Log
    {
        [LoggerMessage(2110, LogLevel.Error, "Node {Node} cannot join: its data folder could not be written: {Reason}; retrying")]
        public static partial void NotJoined(ILogger logger, string node, string reason);

        [LoggerMessage(
            2111,
            LogLevel.Information,
            "Node {Node} is stopping before it could read its catalog's latest state: {Reason}"
        )]
        public static partial void NotLookedOnceMore(ILogger logger, string node, string reason);

        [LoggerMessage(
            2115,
            LogLevel.Error,
            "Work on node {Node} was interrupted by a row of its database that this program has not written; it is tried again. Correct or delete the row, and look who can write to the database"
        )]
        public static partial void Unreadable(ILogger logger, Exception cause, string node);

        [LoggerMessage(2112, LogLevel.Information, "Node {Node} joined at {Url}; backend {BackendPid} holds its lock")]
        public static partial void Joined(ILogger logger, string node, Uri url, int backendPid);

        [LoggerMessage(
            EventId = 2113,
            Message = "Work on node {Node} was interrupted: {Reason}; it resumes with the next session"
        )]
        public static partial void Interrupted(ILogger logger, LogLevel level, string node, string reason);

        [LoggerMessage(
            2114,
            LogLevel.Warning,
            "Another process runs as node {Node} of cluster {Cluster}; waiting up to {Seconds:0} s for it to exit"
        )]
        public static partial void NodeIdInUse(ILogger logger, string node, string cluster, double seconds);
    }
}
