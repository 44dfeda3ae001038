using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>
/// Reads an upstream's feed from where this cluster is: its history, beside it what comes, and beside both, from time to time, the bins that
/// stand still. It ends by what is not one bin's fault alone.
/// </summary>
internal sealed partial class PullSession(
    Upstream upstream,
    FileCommands commands,
    UpstreamComparison comparison,
    Database database,
    Leadership leadership,
    string here,
    TimeProvider time,
    ILogger logger
)
{
    /// <summary>Bins that are read at the same time.</summary>
    private const int BinsAtOnce = 4;

    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

    /// <summary>What still differs is looked for so often.</summary>
    private static readonly TimeSpan _findPeriod = TimeSpan.FromMinutes(1);

    private readonly PulledFeed _feed = new(upstream, commands, here, time);
    private Task _history = Task.CompletedTask;

    /// <summary>How long an upstream, or a bin of it, is left alone after faults.</summary>
    public static Backoff Backoff { get; } = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(15));

    /// <returns>Where bins had to be compared first: how to go on is asked anew.</returns>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await HearAsync(cancellationToken);
        if (_feed.DueForComparison is { Count: > 0 } due)
        {
            await ForEachAsync(due, bin => bin, ReplaceFeedAsync, cancellationToken);
            return;
        }

        await ReadGapsAsync(_feed.News, cancellationToken);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _history = CloseGapsAsync(end.Token);
        var beside = (Task[])[FollowAsync(end.Token), TryStandingAsync(end.Token)];
        try
        {
            // The history ends once it is read; what follows it ends by a fault.
            await await Task.WhenAny([_history, .. beside]);
            await await Task.WhenAny(beside);
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll([_history, .. beside]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task CloseGapsAsync(CancellationToken cancellationToken)
    {
        while (_feed.Gaps is { Count: > 0 } gaps)
        {
            await ReadGapsAsync(gaps, cancellationToken);
        }

        await ProveAsync(cancellationToken);
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await HearAsync(cancellationToken);
            await ReadGapsAsync(_feed.News, cancellationToken);
            if (_history.IsCompletedSuccessfully)
            {
                await ProveAsync(cancellationToken);
            }
        }
    }

    /// <summary>Tries the bins that stand still again, each when its time has come: they keep nobody waiting.</summary>
    private async Task TryStandingAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(_look, time, cancellationToken);
            var due = upstream.Standing.Where(bin => time.GetElapsedTime(bin.Value.At) >= Backoff.Bound(bin.Value.Failures));
            if (due.Select(bin => bin.Key).ToList() is { Count: > 0 } bins)
            {
                await ForEachAsync(bins, bin => bin, TryAsync, cancellationToken);
            }
        }

        async Task TryAsync(short bin, CancellationToken token)
        {
            if (_feed.IsDueForComparison(bin))
            {
                await ReplaceFeedAsync(bin, token);
                upstream.GoOn(bin);
                throw new PositionMovedException();
            }

            while (_feed.NextOf(bin) is { } gap)
            {
                await _feed.ReadAsync(gap, token);
            }

            await ProveAsync(token);
        }
    }

    private async Task HearAsync(CancellationToken cancellationToken)
    {
        if (!leadership.IsLeading)
        {
            throw new NotLeadingException();
        }

        var isFirst = _feed.Told is null;
        await _feed.SeeAsync(await _feed.AskAsync(cancellationToken), cancellationToken);
        upstream.See(_feed);
        Succeed();
        if (!isFirst && _feed.DueForComparison.Count > 0)
        {
            throw new PositionMovedException();
        }
    }

    /// <summary>Reads gaps to their ends, some at a time.</summary>
    private Task ReadGapsAsync(IReadOnlyList<FeedGap> gaps, CancellationToken cancellationToken) =>
        ForEachAsync(
            gaps,
            gap => gap.Bin,
            async (gap, token) =>
            {
                for (var left = gap; left is not null; left = await _feed.ReadAsync(left, token)) { }
            },
            cancellationToken
        );

    private Task ReplaceFeedAsync(short bin, CancellationToken cancellationToken) =>
        comparison.ReplaceFeedAsync(upstream.Options, upstream.Client, bin, cancellationToken);

    /// <summary>Does something with bins, some at a time. One at fault stands still from then on, and the others go on.</summary>
    private Task ForEachAsync<T>(
        IReadOnlyList<T> parts,
        Func<T, short> binOf,
        Func<T, CancellationToken, Task> workAsync,
        CancellationToken cancellationToken
    )
    {
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = BinsAtOnce, CancellationToken = cancellationToken };
        return Parallel.ForEachAsync(
            parts,
            atOnce,
            async (part, token) =>
            {
                var bin = binOf(part);
                try
                {
                    await workAsync(part, token);
                    if (upstream.GoOn(bin))
                    {
                        Log.GoesOn(logger, bin, upstream.Options.Name, upstream.Client.Url);
                    }
                }
                catch (UpstreamFaultException fault) when (!fault.IsOfAll)
                {
                    Stand(bin, fault.Message);
                }
                catch (PostgresException fault) when (!DatabaseReach.IsAway(fault))
                {
                    Stand(bin, $"the database does not take what it offers: {fault.Message}");
                }
            }
        );
    }

    private void Stand(short bin, string reason)
    {
        var before = upstream.Standing.GetValueOrDefault(bin);
        if (before?.Reason != reason)
        {
            Log.Stands(logger, bin, upstream.Options.Name, upstream.Client.Url, reason);
        }

        var failures = before is null ? 0 : before.Failures + 1;
        upstream.Stand(bin, new UpstreamFault(reason, before?.Since ?? time.GetUtcNow(), failures, time.GetTimestamp()));
        upstream.Client.TryNextUrl();
    }

    private void Succeed()
    {
        if (upstream.Fault is not null)
        {
            Log.Works(logger, upstream.Options.Name, upstream.Client.Url);
            upstream.Fault = null;
        }
    }

    /// <summary>
    /// All that was told of is applied: now it must be just what the upstream has. Where the digests differ, what is in one set alone is found,
    /// and they are compared again.
    /// </summary>
    private async Task ProveAsync(CancellationToken cancellationToken)
    {
        var told = _feed.Told!;
        await CompareAsync();
        if (upstream.Differing.Count > 0 && upstream.IsDue(_findPeriod, time))
        {
            Log.Differs(logger, upstream.Options.Name, upstream.Client.Url, string.Join(", ", upstream.Differing));
            await comparison.FindAsync(upstream, upstream.Differing, ComparisonDepth.Differences, cancellationToken);
            await CompareAsync();
        }

        async Task CompareAsync() =>
            upstream.Compare(told, await UpstreamPositions.DigestsAsync(database, upstream.Options.Name, cancellationToken));
    }

    private static partial class Log
    {
        [LoggerMessage(
            1732,
            LogLevel.Warning,
            "Upstream {Upstream} at {Url} has other files than this cluster has of it, in bins {Bins}, though all of its feed is applied; looking for them"
        )]
        public static partial void Differs(ILogger logger, string upstream, Uri url, string bins);

        [LoggerMessage(1731, LogLevel.Information, "Upstream {Upstream} at {Url} can be pulled again")]
        public static partial void Works(ILogger logger, string upstream, Uri url);

        [LoggerMessage(
            1734,
            LogLevel.Warning,
            "Bin {Bin} of upstream {Upstream} at {Url} stands still, and the others go on; retrying: {Reason}"
        )]
        public static partial void Stands(ILogger logger, short bin, string upstream, Uri url, string reason);

        [LoggerMessage(1737, LogLevel.Information, "Bin {Bin} of upstream {Upstream} at {Url} goes on")]
        public static partial void GoesOn(ILogger logger, short bin, string upstream, Uri url);
    }
}
