using FileTransfer.Cluster;

namespace FileTransfer.Feed.Push;

/// <summary>At the leader: ships the feed to the followers. What has grown is looked at once for all of them, when a notification says so.</summary>
public sealed partial class Shipper(
    Database database,
    FollowerTable table,
    ShippedFeed feed,
    Leadership leadership,
    ClusterMembership membership,
    NodePulse pulse,
    LastDuties duties,
    ThisNode node,
    IOptions<ShippingOptions> options,
    WorkerRegistry workers,
    TimeProvider time,
    ILogger<Shipper> logger
) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    /// <summary>From one look to the next at least, and from one saving to the next.</summary>
    private static readonly TimeSpan _leastPeriod = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _savingPeriod = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _budgetPeriod = TimeSpan.FromSeconds(2);

    /// <summary>For so long a leader that stops waits for a follower that has begun to be at fault.</summary>
    private static readonly TimeSpan _faultPatience = TimeSpan.FromSeconds(5);

    private readonly AsyncAutoResetEvent _growth = new();
    private readonly AsyncAutoResetEvent _changes = new();
    private readonly ConcurrentDictionary<string, Shipping> _shipping = new();
    private readonly AsyncAutoResetEvent _acknowledged = new();
    private HashSet<(string Follower, short Bin)> _over = [];
    private volatile bool _isLoadDue;

    public IEnumerable<Follower> Followers => _shipping.Values.Select(one => one.Follower);

    /// <summary>The followers were set otherwise.</summary>
    public void Reload()
    {
        _isLoadDue = true;
        _changes.Set();
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        duties.AddLast("shipping what is pending", FlushAsync);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var growth = database.Notifications.Subscribe(FeedAppender.Grown, _ => _growth.Set());
        using var behind = pulse.Ask(FollowerTable.IsBehind, _growth.Set);
        await membership.RunWhileJoinedAsync(
            async token =>
            {
                while (true)
                {
                    if (leadership.IsLeading)
                    {
                        await LeadAsync(token);
                    }

                    await Task.Delay(_period, time, token);
                }
            },
            stoppingToken
        );
    }

    private async Task LeadAsync(CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var looking = LookAsync(ended.Token);
        try
        {
            _isLoadDue = true;
            var budgetAt = time.GetTimestamp();
            while (leadership.IsLeading && !looking.IsCompleted)
            {
                if (_isLoadDue)
                {
                    _isLoadDue = false;
                    await LoadAsync(ended.Token);
                }

                await SaveAsync(ended.Token);
                if (time.GetElapsedTime(budgetAt) >= _budgetPeriod && !_shipping.IsEmpty)
                {
                    budgetAt = time.GetTimestamp();
                    await KeepBudgetAsync(ended.Token);
                }

                await Task.Delay(_savingPeriod, time, ended.Token);
                await _changes.WaitAsync(_period, time, ended.Token);
            }
        }
        finally
        {
            await ended.CancelAsync();
            foreach (var name in _shipping.Keys)
            {
                await EndAsync(name);
            }

            await looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Reads how far the feed goes, whenever it may have grown and there is somebody to ship to.</summary>
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!_shipping.IsEmpty)
            {
                var heads = await FeedHeads.ReadAsync(database, cancellationToken);
                if (!heads.IsAsFarAs(feed.Heads))
                {
                    feed.Pass(heads);
                }

                await Task.Delay(_leastPeriod, time, cancellationToken);
            }

            await _growth.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        var rows = await table.ReadAsync(null, cancellationToken);
        var positions = (await table.PositionsAsync(null, cancellationToken)).ToLookup(bin => bin.Follower);
        foreach (var name in _shipping.Keys.Except(rows.Select(row => row.Name)))
        {
            await EndAsync(name);
        }

        foreach (var row in rows)
        {
            if (_shipping.TryGetValue(row.Name, out var known) && !known.Follower.IsOf(row))
            {
                await EndAsync(row.Name);
            }

            _shipping.GetOrAdd(row.Name, _ => Begin(new Follower(row, positions[row.Name], time), cancellationToken));
        }

        _growth.Set();
    }

    private Shipping Begin(Follower follower, CancellationToken cancellationToken)
    {
        var worker = workers.Add($"follower {follower.Row.Name}", "ships the feed to a follower, at the leader");
        var loop = new FollowerLoop(follower, feed, node, Acknowledged, worker, time, logger);
        var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        return new Shipping(follower, loop, follower.Row.Paused ? Task.CompletedTask : loop.RunAsync(end.Token), end);
    }

    private void Acknowledged()
    {
        _changes.Set();
        _acknowledged.Set();
    }

    /// <summary>Ships all that there is to those that take it, and waits for what they fetch.</summary>
    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        while (leadership.IsLeading && !_shipping.IsEmpty)
        {
            var heads = await FeedHeads.ReadAsync(database, cancellationToken);
            if (!IsPending(heads))
            {
                await Task.WhenAll(_shipping.Values.Select(one => one.Loop.AwaitFetchesAsync(cancellationToken)));
                return;
            }

            feed.Pass(heads);
            while (IsPending(heads))
            {
                await _acknowledged.WaitAsync(_savingPeriod, time, cancellationToken);
            }
        }

        bool IsPending(FeedHeads heads) =>
            Followers.Any(follower => !follower.Row.Paused && IsWorthWaitingFor(follower.Fault) && follower.Due(heads).Any());

        // A fault of a moment ago may be over at the next trial.
        bool IsWorthWaitingFor(ShippingFault? fault) => fault is null || time.GetElapsedTime(fault.Timestamp) < _faultPatience;
    }

    private async Task EndAsync(string name)
    {
        if (_shipping.TryRemove(name, out var shipping))
        {
            await shipping.EndAsync();
        }
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        List<AcknowledgedBin> changed = [.. Followers.SelectMany(follower => follower.TakeUnsaved())];
        if (changed.Count > 0)
        {
            await table.SaveAsync(changed, cancellationToken);
        }
    }

    private async Task KeepBudgetAsync(CancellationToken cancellationToken)
    {
        // At one look it may only be what has just been added.
        var over = (await table.OverAsync(options.Value.Budget, cancellationToken)).ToHashSet();
        foreach (var (name, bin) in over.Where(_over.Contains))
        {
            if (_shipping.TryGetValue(name, out var shipping))
            {
                Log.OverBudget(logger, name, shipping.Follower.Row.Url, bin);
                shipping.Follower.RequireRebuild(bin);
                _changes.Set();
            }
        }

        _over = over;
    }

    private sealed record Shipping(Follower Follower, FollowerLoop Loop, Task Run, CancellationTokenSource End)
    {
        public async Task EndAsync()
        {
            await End.CancelAsync();
            await Run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Loop.Dispose();
            End.Dispose();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1744,
            LogLevel.Warning,
            "Follower {Follower} at {Url} is too far behind in bin {Bin}: it will be told all files instead of what follows"
        )]
        public static partial void OverBudget(ILogger logger, string follower, string url, int bin);
    }
}
