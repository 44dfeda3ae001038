using FileTransfer.Chunks;

namespace FileTransfer.Catalog.Repair;

/// <summary>Which pass over all contents is under way, how far it is, and when the next one begins; kept on disk, so that a restart goes on there.</summary>
public sealed class ScrubPasses(ChunkStore store, IOptions<ScrubOptions> options, TimeProvider time) : IDisposable
{
    /// <summary>From the beginning of one pass to that of the next at least, in parts of the period, where there is little to prove.</summary>
    private const double LeastPart = 0.01;

    private readonly ScrubFile _file = new(store.DataDirectory);
    private readonly Lock _lock = new();
    private volatile ScrubState _state = new ScrubFile(store.DataDirectory).Load();
    private CancellationTokenSource _pass = new();

    /// <summary>How far it is.</summary>
    public ScrubState State => _state;

    /// <summary>When the next pass begins by itself; null while one is under way.</summary>
    public DateTimeOffset? NextAt => State is { Now: null } state ? state.NextAt ?? time.GetUtcNow() : null;

    /// <summary>Set when a person has changed what is to be done.</summary>
    internal AsyncAutoResetEvent Changed { get; } = new();

    /// <summary>Starts a pass over everything now and at full speed. One that a person asked for already goes on as it is.</summary>
    public void Start()
    {
        lock (_lock)
        {
            if (_state.Now is not { IsRequested: true })
            {
                Begin(isRequested: true);
                Interrupt();
            }
        }
    }

    /// <summary>Ends the pass under way; the next one comes when it is due.</summary>
    public void Cancel()
    {
        lock (_lock)
        {
            if (_state.Now is not null)
            {
                Keep(_state with { Now = null, NextAt = time.GetUtcNow() + options.Value.Period });
                Interrupt();
            }
        }
    }

    public void Dispose() => _pass.Dispose();

    /// <summary>The pass under way, or the one that is due; cancelled when a person wants it otherwise.</summary>
    internal bool TryTake(out ScrubPass pass, out CancellationToken interrupted)
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
            var now = time.GetUtcNow();
            if (_state.NextAt is { } next && now < next && next <= now + options.Value.Period)
            {
                pass = null!;
                return false;
            }

            pass = Begin(isRequested: false);
            return true;
        }
    }

    /// <summary>How far the pass is.</summary>
    /// <param name="keeps">Also on disk.</param>
    internal void Report(ScrubPass pass, bool keeps, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _state = _state with { Now = pass };
            if (keeps)
            {
                _file.Save(_state);
            }
        }
    }

    internal ScrubPass End(ScrubPass pass, CancellationToken cancellationToken)
    {
        var ended = pass with { EndedAt = time.GetUtcNow() };
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Keep(_state with { Now = null, Last = ended });
        }

        return ended;
    }

    /// <summary>Writes down how far it is.</summary>
    internal void Keep()
    {
        lock (_lock)
        {
            _file.Save(_state);
        }
    }

    private ScrubPass Begin(bool isRequested)
    {
        var now = time.GetUtcNow();
        var pass = new ScrubPass(isRequested, now, null, 0, 0, 0, 0, 0, null);
        Keep(_state with { Now = pass, NextAt = now + (options.Value.Period * LeastPart) });
        return pass;
    }

    /// <summary>Under the lock: whatever runs begins again with what is wanted now.</summary>
    private void Interrupt()
    {
        _pass.Cancel();
        _pass = new CancellationTokenSource();
        Changed.Set();
    }

    private void Keep(ScrubState state)
    {
        _state = state;
        _file.Save(state);
    }
}
