using Microsoft.Extensions.Primitives;

namespace FileTransfer.Bandwidth;

/// <summary>The limits in force at this node: as configured, with what was set at run time over it, at this time of day.</summary>
/// <remarks>Each change counts at once, for transfers under way too.</remarks>
public sealed partial class TransferLimits : IDisposable
{
    private readonly IOptionsFactory<LimitOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger<TransferLimits> _logger;
    private readonly IDisposable _reloads;
    private readonly Lock _lock = new();
    private readonly FairTokenBucket _download;
    private readonly ConcurrentDictionary<string, SourceBuckets> _sources = new(StringComparer.Ordinal);
    private volatile State _state;

    public TransferLimits(
        IOptionsFactory<LimitOptions> options,
        IConfiguration configuration,
        TimeProvider time,
        ILogger<TransferLimits> logger
    )
    {
        _options = options;
        _time = time;
        _logger = logger;
        _download = new FairTokenBucket(time);
        Egress = new FairTokenBucket(time);
        _state = StateOf(options.Create(Options.DefaultName).ToLimits(), over: null);
        Enforce();
        _reloads = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>Something is another than before; what is in force can be read when this is raised.</summary>
    public event Action? Changed;

    /// <summary>Lets out what this node sends.</summary>
    public FairTokenBucket Egress { get; }

    /// <summary>Configuration and what is set over it.</summary>
    public LimitSet InForce => _state.InForce;

    internal DateTime LocalNow => _time.GetLocalNow().DateTime;

    /// <summary>Waits until so many bytes from a source may be taken: by the limit of that source, and by that of all together.</summary>
    /// <param name="source">Its id: <c>node a</c>.</param>
    public ValueTask AcquireAsync(string source, int bytes, CancellationToken cancellationToken) =>
        _download.IsLimited || _state.Timetables.LimitsSources
            ? AcquireLimitedAsync(BucketsOf(source), bytes, cancellationToken)
            : ValueTask.CompletedTask;

    /// <summary>All of the same moment.</summary>
    internal State Read() => _state;

    /// <summary>Puts limits over the configuration; null takes them away.</summary>
    /// <param name="over">Without <see cref="LimitChecks.Faults"/>.</param>
    public void Set(LimitSet? over) => Change(state => StateOf(state.Configured, over));

    /// <summary>Lets the rates of the present time of day be in force.</summary>
    /// <returns>How long they are, by the timetables; null = for ever.</returns>
    public TimeSpan? Enforce()
    {
        lock (_lock)
        {
            var now = LocalNow;
            var timetables = _state.Timetables;
            Egress.Rate = timetables.Upload.At(now).Rate;
            _download.Rate = timetables.Download.At(now).Rate;
            foreach (var (source, buckets) in _sources)
            {
                buckets.Own.Rate = timetables.Of(source).At(now).Rate;
            }

            return timetables.NextChange(now) - now;
        }
    }

    public void Dispose()
    {
        _reloads.Dispose();
        _download.Dispose();
        Egress.Dispose();
        foreach (var buckets in _sources.Values)
        {
            buckets.Own.Dispose();
        }
    }

    private async ValueTask AcquireLimitedAsync(SourceBuckets buckets, int bytes, CancellationToken cancellationToken)
    {
        for (var left = bytes; left > 0; )
        {
            left -= await buckets.Own.AcquireAsync(buckets.OwnFlow, left, cancellationToken);
        }

        for (var left = bytes; left > 0; )
        {
            left -= await _download.AcquireAsync(buckets.Shared, left, cancellationToken);
        }
    }

    /// <summary>One for each source that was ever met: the nodes of the cluster and the shares of the configuration.</summary>
    private SourceBuckets BucketsOf(string source)
    {
        if (_sources.TryGetValue(source, out var known))
        {
            return known;
        }

        lock (_lock)
        {
            return _sources.GetOrAdd(
                source,
                static (id, limits) =>
                    new SourceBuckets(
                        new FairTokenBucket(limits._time) { Rate = limits._state.Timetables.Of(id).At(limits.LocalNow).Rate },
                        new RateFlow(),
                        new RateFlow()
                    ),
                this
            );
        }
    }

    private void Reload()
    {
        try
        {
            var configured = _options.Create(Options.DefaultName).ToLimits();
            if (!configured.IsSame(_state.Configured))
            {
                Change(state => StateOf(configured, state.Over));
                Log.Changed(_logger);
            }
        }
        catch (Exception e)
        {
            // Thrown into the configuration's change callback it would take the process down.
            Log.ChangeRefused(_logger, e.Message);
        }
    }

    private void Change(Func<State, State> change)
    {
        lock (_lock)
        {
            _state = change(_state);
            Enforce();
        }

        Changed?.Invoke();
    }

    private static State StateOf(LimitSet configured, LimitSet? over)
    {
        var inForce = over?.Over(configured) ?? configured;
        return new State(configured, over, inForce, new BandwidthSchedules(inForce));
    }

    internal sealed record State(LimitSet Configured, LimitSet? Over, LimitSet InForce, BandwidthSchedules Timetables)
    {
        public LimitsResource Describe(NodeId here, TimeProvider time) =>
            new(here.Value, InForce, Configured, Over, Timetables.Describe(time));
    }

    private sealed record SourceBuckets(FairTokenBucket Own, RateFlow OwnFlow, RateFlow Shared);

    private static partial class Log
    {
        [LoggerMessage(1010, LogLevel.Information, "FileTransfer:Limits changed; the new limits are in force")]
        public static partial void Changed(ILogger logger);

        [LoggerMessage(
            1011,
            LogLevel.Error,
            "A change of FileTransfer:Limits was rejected; the previous limits stay in force: {Reason}"
        )]
        public static partial void ChangeRefused(ILogger logger, string reason);
    }
}
