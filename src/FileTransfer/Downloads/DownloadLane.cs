using System.Diagnostics;
using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Durability;
using FileTransfer.Downloads.Planning;
using FileTransfer.Feed;

namespace FileTransfer.Downloads;

/// <summary>A worker that downloads files, on a database session of its own: one at a time, or some small ones together.</summary>
/// <remarks>
/// A lane never looks at the queue as a whole: it asks for what is next, does it, and asks again. Small files are claimed together, each
/// under its own lock and epoch, and those that have come are made durable and published together: for the price of one. While a
/// download runs, the session is listening (a lost backend ends the download) and is asked every <see cref="_checkPeriod"/> whether the
/// claim still stands (a removal or a takeover ends it). The publication proves lock and epoch in the statement that writes, so none of
/// this is needed for safety.
/// </remarks>
public sealed partial class DownloadLane(
    ReplicaQueue queue,
    DownloadEngine engine,
    DownloadPublisher publisher,
    AttemptCompletion completion,
    DiskPressure disk,
    PausedDownloads paused,
    QueueSignal signal,
    DeferralSignal deferral,
    FeedOffers offers,
    OutsideSources outside,
    IOptions<DownloadOptions> options,
    TimeProvider time
)
{
    /// <summary>Small files that are claimed together, at most.</summary>
    private const int Together = 2 * BatchWeight.All;

    /// <summary>Content that the small files of one lane may have together. They are in memory until they are published.</summary>
    private const long TogetherBytes = PlannerLimits.WindowBytes;

    /// <summary>The same for all lanes.</summary>
    private const long TogetherBytesOfAll = 16 * TogetherBytes;

    /// <summary>One claim of so many takes the newest.</summary>
    private const int NewestShare = 4;

    private static readonly TimeSpan _checkPeriod = TimeSpan.FromSeconds(1);

    /// <summary>The first look after who else downloads a file that others want too: those who begin together are to find each other.</summary>
    private static readonly TimeSpan _firstCheck = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a small file that has come waits for the others.</summary>
    private static readonly TimeSpan _gathering = TimeSpan.FromMilliseconds(50);

    /// <summary>The same where there are <see cref="Many"/>: how many are stored in a second matters more than when one of them is.</summary>
    private static readonly TimeSpan _gatheringMany = TimeSpan.FromMilliseconds(200);

    private const int Many = Together / 4;

    /// <summary>Lanes that may look for what no node is known to have: whoever knows where to go finds one that does not.</summary>
    private readonly int _lookingLanes = Math.Max(1, options.Value.Lanes - Math.Max(1, options.Value.Lanes / 4));

    private readonly long _togetherBytes = Math.Min(TogetherBytes, TogetherBytesOfAll / options.Value.Lanes);

    private int _looking;
    private uint _claims;

    /// <summary>Claims what is next and deals with it, and with what is claimed in the round trips that publish.</summary>
    /// <returns>Whether to ask again at once: false where nothing was ready, or nothing may start.</returns>
    /// <exception cref="LockConnectionLostException">The session is gone; go on with a new one.</exception>
    public async Task<bool> StepAsync(LockConnection session, CancellationToken cancellationToken)
    {
        if (paused.OfAll is not null || !disk.AllowsDownloads())
        {
            return false;
        }

        var limit = LimitOf(Together);
        var asked = time.GetTimestamp();
        if (await offers.TryClaimAsync(session, limit, cancellationToken) is { } added)
        {
            return (added is ClaimOutcome.Claimed claimed && await HandleAsync(session, claimed, asked, cancellationToken))
                || signal.IsDue;
        }

        signal.Clear();
        return await ClaimAsync(session, limit, cancellationToken)
            || (outside.AreThere && await LookForUnprovidedAsync(session, cancellationToken));
    }

    private async Task<bool> ClaimAsync(LockConnection session, ClaimLimit limit, CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        var outcome = await queue.ClaimAsync(session, limit, cancellationToken);
        DownloadMetrics.Claimed(time.GetElapsedTime(asked));
        switch (outcome)
        {
            case ClaimOutcome.Claimed claimed:
                return await HandleAsync(session, claimed, asked, cancellationToken);
            case ClaimOutcome.Deferred:
                deferral.Set();
                return true;
            default:
                return outcome is ClaimOutcome.Busy;
        }
    }

    /// <summary>Asks sources that do not say what they have for files that no node has, where not too many lanes do so.</summary>
    private async Task<bool> LookForUnprovidedAsync(LockConnection session, CancellationToken cancellationToken)
    {
        try
        {
            var limit = LimitOf(Together) with { From = ClaimFrom.Unprovided };
            return Interlocked.Increment(ref _looking) <= _lookingLanes && await ClaimAsync(session, limit, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _looking);
        }
    }

    private ClaimLimit LimitOf(int files) =>
        new(
            files,
            _togetherBytes,
            Interlocked.Increment(ref _claims) % NewestShare == 0 ? ClaimFrom.Newest : ClaimFrom.Oldest,
            outside.AreThere
        );

    /// <param name="asked">When they were asked for.</param>
    /// <returns>Whether the queue may have more that is ready.</returns>
    private async Task<bool> HandleAsync(
        LockConnection session,
        ClaimOutcome.Claimed claims,
        long asked,
        CancellationToken stopping
    )
    {
        var running = new List<DownloadAttempt>();
        var mayBeMore = false;
        try
        {
            var checkedAt = time.GetTimestamp();
            await StartAsync(claims);
            var period = running.Exists(IsShared) ? _firstCheck : _checkPeriod;
            while (running.Count > 0)
            {
                await WaitAsync(running, period);
                if (time.GetElapsedTime(checkedAt) >= period)
                {
                    await CheckAsync(session, running);
                    checkedAt = time.GetTimestamp();
                    period = _checkPeriod;
                }

                asked = time.GetTimestamp();
                var ended = running.FindAll(attempt => attempt.Running.IsCompleted);
                var next = await CompleteAsync(session, ended, running.Except(ended), mayBeMore, stopping);
                foreach (var attempt in ended)
                {
                    running.Remove(attempt);
                    await engine.CloseAsync(attempt);
                }

                switch (next)
                {
                    case ClaimOutcome.Claimed more:
                        await StartAsync(more);
                        break;
                    case ClaimOutcome.Deferred:
                        deferral.Set();
                        break;
                    case ClaimOutcome.Empty:
                        mayBeMore = false;
                        break;
                }
            }

            return mayBeMore;
        }
        finally
        {
            // Whatever ended this, a download ends before its claim does, and lets go of its partial.
            foreach (var attempt in running)
            {
                await engine.CloseAsync(attempt);
            }
        }

        async Task StartAsync(ClaimOutcome.Claimed all)
        {
            var from = time.GetUtcNow() - time.GetElapsedTime(asked);
            var claimed = await SetAsideAsync(session, all, stopping);
            var traces = await DownloadTraces.OfAsync(session, claimed.Replicas, stopping);
            mayBeMore = claimed.MayBeMore;
            if (mayBeMore)
            {
                signal.Set(); // Let the next lane look.
            }

            foreach (var claim in claimed.Replicas)
            {
                var trace = DownloadTraces.Begin(claim, traces?.GetValueOrDefault(claim.Key) ?? default, from);
                running.Add(engine.Start(claim, trace, stopping, session.Lost));
            }
        }
    }

    private static bool IsShared(DownloadAttempt attempt) =>
        attempt.Claim.Providers.CompetingNodes > 0 && attempt.Claim.Size > PlannerLimits.WindowBytes;

    /// <summary>Waits until one has ended, and the others a moment longer; no longer than until it is time to check the claims.</summary>
    private async Task WaitAsync(List<DownloadAttempt> running, TimeSpan period)
    {
        // How they end, and that time is up, is looked at by the caller.
        Task first = Task.WhenAny(running.Select(attempt => attempt.Running)).WaitAsync(period, time);
        await first.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (first.IsCompletedSuccessfully && running.Count > 1)
        {
            var gathering = running.Count < Many ? _gathering : _gatheringMany;
            Task all = Task.WhenAll(running.Select(attempt => attempt.Running)).WaitAsync(gathering, time);
            await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Asks whether the claims still stand, and lets the engine know where else their files are by then.</summary>
    private async Task CheckAsync(LockConnection session, List<DownloadAttempt> running)
    {
        foreach (var attempt in running.Where(attempt => !attempt.Running.IsCompleted))
        {
            try
            {
                var (claim, bytes) = (attempt.Claim, attempt.BytesProven);
                if (await queue.ReportProgressAsync(session, claim, bytes, attempt.Cancelled) is { } now)
                {
                    engine.Update(claim.Key, now);
                }
                else
                {
                    attempt.Abort();
                }
            }
            catch (OperationCanceledException) when (attempt.Cancelled.IsCancellationRequested)
            {
                // It ends by itself.
            }
        }
    }

    /// <summary>Ends the claims of those that have ended; publishes what has come.</summary>
    /// <returns>What was claimed in the same round trip, where there may be more: nothing beside a large file.</returns>
    private async Task<ClaimOutcome?> CompleteAsync(
        LockConnection session,
        List<DownloadAttempt> ended,
        IEnumerable<DownloadAttempt> left,
        bool mayBeMore,
        CancellationToken stopping
    )
    {
        var proven = new List<DownloadAttempt>();
        foreach (var attempt in ended)
        {
            Activity.Current = attempt.Trace;
            try
            {
                switch (await attempt.Running)
                {
                    case PlannerAction.Defer defer:
                        attempt.Trace?.SetStatus(ActivityStatusCode.Error, defer.Reason);
                        await completion.DeferAsync(session, attempt, defer, stopping);
                        break;
                    case PlannerAction.GiveUp failed:
                        attempt.Trace?.SetStatus(ActivityStatusCode.Error, failed.Reason);
                        await completion.FailAsync(session, attempt, failed, stopping);
                        break;
                    default:
                        proven.Add(attempt);
                        break;
                }
            }
            catch (Exception e)
            {
                attempt.Trace?.SetStatus(ActivityStatusCode.Error, e.Message);
                await completion.FaultAsync(session, attempt, e, stopping);
            }
        }

        Activity.Current = null;
        if (proven.Count == 0)
        {
            return null;
        }

        var (files, bytes) = (left.Count(), left.Sum(attempt => attempt.Claim.Size));
        var limit = mayBeMore && bytes <= _togetherBytes && paused.OfAll is null ? LimitOf(Together - files) : ClaimLimit.None;
        var begun = time.GetTimestamp();
        var published = await publisher.PublishAsync(session, proven, limit, stopping);
        DownloadMetrics.Published(time.GetElapsedTime(begun));
        return published.Next;
    }
}
