using FileTransfer.Chunks;
using FileTransfer.Chunks.Repair;
using FileTransfer.Identity;
using FileTransfer.Rates;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FileTransfer.Catalog.Repair;

/// <summary>
/// Proves every stored content once in a period, again and again, whether or not anybody reads it, and compares disk and catalog both ways; all of it at once
/// when a person asks. What is damaged goes the way of <see cref="DamagedContents"/>.
/// </summary>
/// <remarks>
/// Contents are proven in the order of their fingerprints, one at a time, and after each the pass rests as long as the period leaves. The
/// position is kept on disk: a restart goes on behind it.
/// </remarks>
public sealed partial class Scrub : BackgroundService
{
    /// <summary>A pass takes this part of the period, and the next one follows it: so none comes to a content too late.</summary>
    private const double PartOfPeriod = 0.9;

    /// <summary>From the beginning of one pass to that of the next at least, in parts of the period, where there is little to prove.</summary>
    private const double LeastPart = 0.01;

    private static readonly TimeSpan _longestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _afterFault = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _saveEvery = TimeSpan.FromSeconds(5);

    private readonly ChunkStore _store;
    private readonly StoreRepair _repair;
    private readonly DamagedContents _damaged;
    private readonly NodeId _here;
    private readonly ScrubOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<Scrub> _logger;
    private readonly ScrubFile _file;
    private readonly RateGate _gate;
    private readonly RateFlow _flow = new();
    private readonly WakeUp _hint = new();
    private readonly Lock _lock = new();
    private ScrubState _state;
    private CancellationTokenSource _pass = new();
    private bool _comparedAll;

    public Scrub(
        ChunkStore store,
        StoreRepair repair,
        DamagedContents damaged,
        NodeId here,
        IOptions<ScrubOptions> options,
        TimeProvider time,
        ILogger<Scrub> logger
    )
    {
        _store = store;
        _repair = repair;
        _damaged = damaged;
        _here = here;
        _options = options.Value;
        _time = time;
        _logger = logger;
        _file = new ScrubFile(store.DataDirectory);
        _state = _file.Load();
        _gate = new RateGate(time) { Rate = new ByteRate(_options.BytesPerSecond) };
    }

    /// <summary>How far it is.</summary>
    public ScrubState State
    {
        get
        {
            lock (_lock)
            {
                return _state;
            }
        }
    }

    /// <summary>When the next pass begins by itself; null while one is under way.</summary>
    public DateTimeOffset? NextAt => State is { Now: null } state ? state.NextAt ?? _time.GetUtcNow() : null;

    /// <summary>Starts a pass over everything now and at full speed. One that a person asked for already goes on as it is.</summary>
    public ScrubPass Start()
    {
        lock (_lock)
        {
            if (_state.Now is { IsRequested: true } running)
            {
                return running;
            }

            var pass = Begin(isRequested: true);
            Interrupt();
            return pass;
        }
    }

    /// <summary>Ends the pass under way; the next one comes when it is due.</summary>
    /// <returns>False when there was none.</returns>
    public bool Cancel()
    {
        lock (_lock)
        {
            if (_state.Now is null)
            {
                return false;
            }

            Save(_state with { Now = null, NextAt = _time.GetUtcNow() + _options.Period });
            Interrupt();
            return true;
        }
    }

    public override void Dispose()
    {
        _gate.Dispose();
        _pass.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The start of a node has better things to do than this.
        await Task.Yield();
        try
        {
            await LoopAsync(stoppingToken);
        }
        finally
        {
            lock (_lock)
            {
                Save(_state);
            }
        }
    }

    private async Task LoopAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (TryTake(out var pass, out var interrupted))
                {
                    using var ends = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, interrupted);
                    await RunAsync(pass, ends.Token);
                }
                else
                {
                    await _hint.WaitAsync(_longestWait, _time, stoppingToken);
                }
            }
            catch (OperationCanceledException)
            {
                // The node stops, or a person wants it otherwise.
            }
            catch (Exception fault)
                when (fault is IOException or UnauthorizedAccessException or NpgsqlException or TimeoutException)
            {
                Log.Interrupted(_logger, fault, _here, _afterFault.TotalSeconds);
                Task pause = _hint.WaitAsync(_afterFault, _time, stoppingToken);
                await pause.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>The pass under way, or the one that is due.</summary>
    private bool TryTake(out ScrubPass pass, out CancellationToken interrupted)
    {
        lock (_lock)
        {
            interrupted = _pass.Token;
            if (_state.Now is { } running)
            {
                pass = running;
                return true;
            }

            // A clock that was ahead once must not put it off for longer than a period.
            var now = _time.GetUtcNow();
            if (_state.NextAt is { } next && now < next && next <= now + _options.Period)
            {
                pass = null!;
                return false;
            }

            pass = Begin(isRequested: false);
            return true;
        }
    }

    private ScrubPass Begin(bool isRequested)
    {
        var now = _time.GetUtcNow();
        var pass = new ScrubPass(isRequested, now, null, 0, 0, 0, 0, 0, null);
        _comparedAll = false;
        Save(_state with { Now = pass, NextAt = now + (_options.Period * LeastPart) });
        return pass;
    }

    /// <summary>Under the lock: whatever runs begins again with what is wanted now.</summary>
    private void Interrupt()
    {
        _pass.Cancel();
        _pass = new CancellationTokenSource();
        _hint.Set();
    }

    private async Task RunAsync(ScrubPass pass, CancellationToken cancellationToken)
    {
        Log.Began(_logger, _here, pass.IsRequested ? "as asked" : $"within {_options.Period}", pass.Position ?? "the first");
        if (!_comparedAll)
        {
            await CompareAsync(cancellationToken);
        }

        if (pass.TotalBytes == 0)
        {
            pass = pass with
            {
                TotalBytes = await Task.Run(() => _store.Contents().Sum(content => content.Size), cancellationToken),
            };
            Keep(pass, cancellationToken);
        }

        var savedAt = _time.GetTimestamp();
        Fingerprint? after = Fingerprint.TryParse(pass.Position, out var position) ? position : null;
        foreach (var content in _store.ContentsAfter(after))
        {
            var before = pass;
            pass = await ProveAsync(pass, content, cancellationToken);
            if (pass.Damaged > before.Damaged || _time.GetElapsedTime(savedAt) >= _saveEvery)
            {
                Keep(pass, cancellationToken);
                savedAt = _time.GetTimestamp();
            }
            else
            {
                Show(pass, cancellationToken);
            }

            if (!pass.IsRequested)
            {
                await RestAsync(pass, cancellationToken);
            }
        }

        if (!_comparedAll)
        {
            await CompareAsync(cancellationToken);
        }

        End(pass, cancellationToken);
    }

    private async Task<ScrubPass> ProveAsync(ScrubPass pass, ContentInfo content, CancellationToken cancellationToken)
    {
        var finding = await _store.ProveAsync(
            content.Fingerprint,
            size: null,
            always: true,
            proven: null,
            (bytes, token) => new ValueTask(TakeAsync(bytes, token)),
            cancellationToken
        );
        var next = pass with
        {
            Position = content.Fingerprint.ToString(),
            Contents = pass.Contents + 1,
            Bytes = pass.Bytes + content.Size,
        };
        switch (finding)
        {
            case ContentFinding.Damaged { Reason: var reason }:
                // Proven once more before it is set aside: it may have been written to while it was read.
                var again = await _damaged.ExamineAsync(
                    content.Fingerprint,
                    size: null,
                    $"the scrub read it, and {reason}",
                    cancellationToken
                );
                return again is ContentFinding.Damaged ? next with { Damaged = pass.Damaged + 1 } : next;
            case ContentFinding.Intact { HashesMended: true }:
                return next with { Mended = pass.Mended + 1 };
            default:
                return next;
        }
    }

    private async Task TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        while (bytes > 0)
        {
            bytes -= await _gate.TakeAsync(_flow, bytes, cancellationToken);
        }
    }

    /// <summary>Rests until the part of the pass's time is over that the bytes proven are of those held. Whoever is late does not rest.</summary>
    private async Task RestAsync(ScrubPass pass, CancellationToken cancellationToken)
    {
        var part = pass.Bytes >= pass.TotalBytes ? 1 : pass.Bytes / (double)pass.TotalBytes;
        var until = pass.StartedAt + (_options.Period * (PartOfPeriod * part));
        while (until - _time.GetUtcNow() is { Ticks: > 0 } left)
        {
            await Task.Delay(left < _longestWait ? left : _longestWait, _time, cancellationToken);
        }
    }

    /// <summary>What is stored and not on disk is wanted again, links are put back, and what is visible and not stored is hidden.</summary>
    private async Task CompareAsync(CancellationToken cancellationToken)
    {
        if (!_repair.HasRun)
        {
            // Before the node has joined its cluster nobody knows whether the catalog is this folder's.
            return;
        }

        try
        {
            await _repair.CompareAsync(cancellationToken);
            _comparedAll = true;
        }
        catch (Exception away) when (away is NpgsqlException or TimeoutException)
        {
            // The disk can be proven without the database; the comparison follows at the end of the pass.
            Log.NotCompared(_logger, _here, away.Message);
        }
    }

    private void Keep(ScrubPass pass, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Save(_state with { Now = pass });
        }
    }

    private void Show(ScrubPass pass, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _state = _state with { Now = pass };
        }
    }

    private void End(ScrubPass pass, CancellationToken cancellationToken)
    {
        var ended = pass with { EndedAt = _time.GetUtcNow() };
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Save(_state with { Now = null, Last = ended });
        }

        Log.Ended(_logger, _here, ended.Contents, ended.Bytes, ended.Damaged, ended.Mended);
    }

    private void Save(ScrubState state)
    {
        _state = state;
        _file.Save(state);
    }

    private static partial class Log
    {
        [LoggerMessage(1160, LogLevel.Information, "The scrub of {Node} proves all contents, {How}, behind {Position}")]
        public static partial void Began(ILogger logger, NodeId node, string how, string position);

        [LoggerMessage(
            1161,
            LogLevel.Information,
            "The scrub of {Node} has proven {Contents} contents of {Bytes} bytes: {Damaged} were damaged, the chunk hashes of {Mended} were"
        )]
        public static partial void Ended(ILogger logger, NodeId node, long contents, long bytes, long damaged, long mended);

        [LoggerMessage(1162, LogLevel.Warning, "The scrub of {Node} could not compare disk and catalog yet: {Reason}")]
        public static partial void NotCompared(ILogger logger, NodeId node, string reason);

        [LoggerMessage(1163, LogLevel.Warning, "The scrub of {Node} was interrupted; it goes on in {Seconds:0} s")]
        public static partial void Interrupted(ILogger logger, Exception fault, NodeId node, double seconds);
    }
}
