using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Durability;
using FileTransfer.Downloads.Sources;
using FileTransfer.Postgres;
using Microsoft.Extensions.Options;

namespace FileTransfer.Downloads;

/// <summary>What one step of a lane came to.</summary>
public enum LaneStep
{
    /// <summary>Nothing was ready, or nothing may start; wait.</summary>
    Idle,

    /// <summary>A file was dealt with, well or not; ask again.</summary>
    Worked,
}

/// <summary>A worker that brings files here, on a database session of its own: one at a time, or some small ones together.</summary>
/// <remarks>
/// A lane never looks at the queue as a whole: it asks for what is next, does it, and asks again. Small files are claimed together, each
/// under its own lock and epoch, and those that have come are made durable and published together: for the price of one. While a
/// transfer runs, the session is listening (a lost backend ends the transfer) and is asked every <see cref="_checkPeriod"/> whether the
/// claim still stands (a removal or a takeover ends it). The publication proves lock and epoch in the statement that writes, so none of
/// this is needed for safety.
/// </remarks>
public sealed class DownloadLane(
    ReplicaQueue queue,
    DownloadEngine transfers,
    DownloadPublisher publication,
    AttemptCompletion endings,
    ActiveDownloads active,
    DiskPressure disk,
    QueueSignal signal,
    DeferralSignal deferral,
    SourceRegistry sources,
    IOptions<DownloadOptions> options,
    TimeProvider time
)
{
    /// <summary>Small files that are claimed together, at most.</summary>
    private const int Together = 32;

    /// <summary>Content that the small files of one lane may have together. They are in memory until they are published.</summary>
    private const long TogetherBytes = 4 * 1024 * 1024;

    /// <summary>The same for all lanes.</summary>
    private const long TogetherBytesOfAll = 64 * 1024 * 1024;

    /// <summary>One claim of so many takes the newest.</summary>
    private const int NewestShare = 4;

    private readonly bool _asksShares = sources.Configured.Count > 0;

    /// <summary>Lanes that may look for what no node is known to have: whoever knows where to go finds one that does not.</summary>
    private readonly int _lookingLanes = Math.Max(1, options.Value.Lanes - Math.Max(1, options.Value.Lanes / 4));

    private readonly long _togetherBytes = Math.Min(TogetherBytes, TogetherBytesOfAll / options.Value.Lanes);

    private int _looking;
    private uint _claims;

    private static readonly TimeSpan _checkPeriod = TimeSpan.FromSeconds(1);

    /// <summary>How long a small file that has come waits for the others.</summary>
    private static readonly TimeSpan _gathering = TimeSpan.FromMilliseconds(50);

    /// <summary>Claims what is next and deals with it, and with what is claimed in the round trips that publish.</summary>
    /// <exception cref="LockConnectionLostException">The session is gone; go on with a new one.</exception>
    public async Task<LaneStep> StepAsync(LockConnection session, CancellationToken cancellationToken)
    {
        if (!disk.AllowsDownloads())
        {
            return LaneStep.Idle;
        }

        switch (await queue.ClaimAsync(session, RoomFor(Together), cancellationToken))
        {
            case ClaimOutcome.Claimed { Replicas: var claims }:
                await HandleAsync(session, claims, cancellationToken);
                return LaneStep.Worked;
            case ClaimOutcome.Deferred:
                deferral.Set();
                return LaneStep.Worked;
            case ClaimOutcome.Busy:
                return LaneStep.Worked;
            default:
                return _asksShares ? await LookForUnprovidedAsync(session, cancellationToken) : LaneStep.Idle;
        }
    }

    /// <summary>Asks sources that do not say what they have for files that no node has, where not too many lanes do so.</summary>
    private async Task<LaneStep> LookForUnprovidedAsync(LockConnection session, CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref _looking) > _lookingLanes)
            {
                return LaneStep.Idle;
            }

            var room = RoomFor(Together) with { From = ClaimFrom.Unprovided };
            switch (await queue.ClaimAsync(session, room, cancellationToken))
            {
                case ClaimOutcome.Claimed { Replicas: var claims }:
                    await HandleAsync(session, claims, cancellationToken);
                    return LaneStep.Worked;
                case ClaimOutcome.Busy:
                    return LaneStep.Worked;
                default:
                    return LaneStep.Idle;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _looking);
        }
    }

    private ClaimLimit RoomFor(int files) =>
        new(
            files,
            _togetherBytes,
            Interlocked.Increment(ref _claims) % NewestShare == 0 ? ClaimFrom.Newest : ClaimFrom.Oldest,
            _asksShares
        );

    private async Task HandleAsync(LockConnection session, IReadOnlyList<ClaimedReplica> claims, CancellationToken stopping)
    {
        var jobs = new List<LaneJob>();
        try
        {
            var checkedAt = time.GetTimestamp();
            Start(claims);
            while (jobs.Count > 0)
            {
                await WaitAsync(jobs);
                if (time.GetElapsedTime(checkedAt) >= _checkPeriod)
                {
                    await CheckAsync(session, jobs);
                    checkedAt = time.GetTimestamp();
                }

                var ended = jobs.FindAll(job => job.Running.IsCompleted);
                var beside = new NextClaim(RoomBeside(jobs.FindAll(job => !ended.Contains(job))));
                await ConcludeAsync(session, ended, beside, stopping);
                foreach (var job in ended)
                {
                    jobs.Remove(job);
                    await job.DisposeAsync();
                }

                switch (beside.Next)
                {
                    case ClaimOutcome.Claimed { Replicas: var more }:
                        Start(more);
                        break;
                    case ClaimOutcome.Deferred:
                        deferral.Set();
                        break;
                }
            }
        }
        finally
        {
            // Whatever ended this, a transfer ends before its claim does, and lets go of its partial.
            foreach (var job in jobs)
            {
                await job.DisposeAsync();
            }
        }

        void Start(IReadOnlyList<ClaimedReplica> begun)
        {
            signal.Set(); // There may be more: let the next lane look.
            foreach (var claim in begun)
            {
                var job = new LaneJob(claim, stopping, session.Lost);
                jobs.Add(job);
                job.Start(active, transfers);
            }
        }
    }

    /// <summary>How many files a lane may claim beside those it has: none beside a large one.</summary>
    private ClaimLimit RoomBeside(List<LaneJob> left) =>
        left.Sum(job => job.Claim.Size) <= _togetherBytes ? RoomFor(Together - left.Count) : ClaimLimit.None;

    /// <summary>Waits until one has ended, and the others a moment longer; no longer than until it is time to check the claims.</summary>
    private async Task WaitAsync(List<LaneJob> jobs)
    {
        // How they end, and that time is up, is looked at by the caller.
        Task first = Task.WhenAny(jobs.Select(job => job.Running)).WaitAsync(_checkPeriod, time);
        await first.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (first.IsCompletedSuccessfully && jobs.Count > 1)
        {
            Task all = Task.WhenAll(jobs.Select(job => job.Running)).WaitAsync(_gathering, time);
            await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Asks whether the claims still stand, and tells the transfers where else their files are by then.</summary>
    private async Task CheckAsync(LockConnection session, List<LaneJob> jobs)
    {
        foreach (var job in jobs.Where(job => !job.Running.IsCompleted))
        {
            try
            {
                if (await queue.ReportProgressAsync(session, job.Claim, job.Progress.BytesProven, job.Abort.Token) is { } now)
                {
                    transfers.Update(job.Claim.Key, now);
                }
                else
                {
                    await job.Abort.CancelAsync();
                }
            }
            catch (OperationCanceledException) when (job.Abort.IsCancellationRequested)
            {
                // It ends by itself.
            }
        }
    }

    private async Task ConcludeAsync(LockConnection session, List<LaneJob> ended, NextClaim beside, CancellationToken stopping)
    {
        var proven = new List<LaneJob>();
        foreach (var job in ended)
        {
            try
            {
                switch (await job.Running)
                {
                    case AttemptOutcome.Parked parked:
                        await endings.ParkAsync(session, job.Claim, parked, stopping);
                        break;
                    case AttemptOutcome.NoRoom full:
                        await endings.NoRoomAsync(session, job.Claim, full);
                        break;
                    case AttemptOutcome.Failed failed:
                        await endings.FailAsync(session, job.Claim, failed, stopping);
                        break;
                    default:
                        proven.Add(job);
                        break;
                }
            }
            catch (Exception e)
            {
                await endings.FaultAsync(session, job, e, stopping);
            }
        }

        if (proven.Count > 0)
        {
            await publication.PublishAsync(session, proven, beside, stopping);
        }
    }
}
