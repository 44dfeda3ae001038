using FileTransfer.Chunks.Durability;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Ledger;

/// <summary>The embedded engine of a data folder, <c>small.db</c>: one writer that commits durably, many changes at a time.</summary>
/// <remarks>
/// Changes wait in a queue. Whoever finds nobody at work takes all that wait into one transaction, so that what is written at the same
/// time costs one flush. A file that turns out to be damaged is set aside in the quarantine with a reason, and an empty one begins;
/// <see cref="IsNew"/> says so to those who can fill it again.
/// </remarks>
public sealed partial class SmallDatabase : IDisposable
{
    /// <summary>How long a change that nobody waits for may wait for company.</summary>
    private static readonly TimeSpan _laziness = TimeSpan.FromSeconds(1);

    private readonly StorePaths _paths;
    private readonly ILogger _logger;
    private readonly Lock _queueGate = new();
    private readonly Lock _readGate = new();
    private readonly Lock _commitGate = new();
    private readonly Timer _lazy;
    private List<Change> _waiting = [];
    private Task _writing = Task.CompletedTask;
    private bool _isWriting;
    private bool _isLazySet;
    private bool _isClosed;
    private SmallConnection _writer = null!;
    private SmallConnection _reader = null!;

    /// <summary>Opens the engine of a folder that this process has locked; made when missing.</summary>
    internal SmallDatabase(StorePaths paths, ILogger logger)
    {
        _paths = paths;
        _logger = logger;
        _lazy = new Timer(_ => WriteLazyOnes());
        OpenOrSetAside();
    }

    private sealed record Change(Action<SmallConnection> Apply, TaskCompletionSource? Done);

    /// <summary>Whether the file was made, or made anew, by this process, and has not been declared full since.</summary>
    public bool IsNew { get; private set; }

    /// <summary>Why the former file was set aside, in words; null where none was.</summary>
    public string? SetAsideBecause { get; private set; }

    /// <summary>What it holds is whole again.</summary>
    public void DeclareFull() => IsNew = false;

    /// <summary>Makes a change. When the task is done, it outlives a power failure.</summary>
    /// <exception cref="DiskFullException">There is no room for it.</exception>
    /// <exception cref="IOException">It was not written.</exception>
    public Task WriteAsync(Action<SmallConnection> change)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_queueGate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            _waiting.Add(new Change(change, done));
            StartWriting();
        }

        return done.Task;
    }

    /// <summary>Makes a change together with the next one that somebody waits for, or within a second. A kill may lose it.</summary>
    public void WriteSoon(Action<SmallConnection> change)
    {
        lock (_queueGate)
        {
            if (_isClosed)
            {
                return;
            }

            _waiting.Add(new Change(change, null));
            if (!_isLazySet)
            {
                _isLazySet = true;
                _lazy.Change(_laziness, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Reads what is committed. Read in pages: as long as a reader is open the engine's log grows.</summary>
    public T Read<T>(Func<SmallConnection, T> read)
    {
        lock (_readGate)
        {
            try
            {
                return read(_reader);
            }
            catch (SqliteException e) when (SmallConnection.IsDamage(e))
            {
                SetAside(_reader, e.Message);
                return read(_reader);
            }
            catch (SqliteException e)
            {
                throw SmallConnection.Translate(e, _paths.Small);
            }
        }
    }

    /// <summary>Writes what waits, and closes. Another process may have the folder then.</summary>
    public void Dispose()
    {
        Task writing;
        lock (_queueGate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            if (_waiting.Count > 0)
            {
                StartWriting();
            }

            writing = _writing;
        }

        writing.GetAwaiter().GetResult();
        _lazy.Dispose();
        _reader.Dispose();
        _writer.Dispose();
    }

    private void WriteLazyOnes()
    {
        lock (_queueGate)
        {
            _isLazySet = false;
            if (_waiting.Count > 0 && !_isClosed)
            {
                StartWriting();
            }
        }
    }

    private void StartWriting()
    {
        if (!_isWriting)
        {
            _isWriting = true;
            _writing = Task.Run(WriteAll);
        }
    }

    private void WriteAll()
    {
        while (true)
        {
            List<Change> changes;
            lock (_queueGate)
            {
                if (_waiting.Count == 0)
                {
                    _isWriting = false;
                    return;
                }

                (changes, _waiting) = (_waiting, []);
            }

            Conclude(changes, TryCommit(changes));
        }
    }

    private void Conclude(List<Change> changes, Exception? fault)
    {
        foreach (var change in changes)
        {
            if (fault is null)
            {
                change.Done?.TrySetResult();
            }
            else
            {
                change.Done?.TrySetException(fault);
            }
        }

        if (fault is not null && changes.Exists(change => change.Done is null))
        {
            Log.NotWritten(_logger, _paths.Small, fault.Message);
        }
    }

    private Exception? TryCommit(List<Change> changes)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            SmallConnection? writer = null;
            try
            {
                Commit(changes, ref writer);
                return null;
            }
            catch (SqliteException e) when (isFirst && SmallConnection.IsDamage(e))
            {
                if (SetAsideForWriting(writer!, e.Message) is { } fault)
                {
                    return fault;
                }
            }
            catch (SqliteException e)
            {
                return SmallConnection.Translate(e, _paths.Small);
            }
            catch (Exception e)
            {
                return e;
            }
        }
    }

    private void Commit(List<Change> changes, ref SmallConnection? used)
    {
        lock (_commitGate)
        {
            var writer = used = _writer;
            using var transaction = writer.BeginImmediate();
            foreach (var change in changes)
            {
                change.Apply(writer);
            }

            transaction.Commit();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1120,
            LogLevel.Error,
            "{Database} is damaged ({Reason}) and was set aside as {Kept}; what it remembered is gathered again from the contents and the catalog"
        )]
        public static partial void SetAside(ILogger logger, string database, string reason, string kept);

        [LoggerMessage(1121, LogLevel.Warning, "{Database} could not be written; it catches up later: {Reason}")]
        public static partial void NotWritten(ILogger logger, string database, string reason);
    }
}
