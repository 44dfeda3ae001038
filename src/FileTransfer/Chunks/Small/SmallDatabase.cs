using System.Threading.Channels;
using FileTransfer.Chunks.Durability;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Small;

/// <summary>The embedded engine of a data folder, <c>small.db</c>: one writer that commits durably, many changes at a time, and some readers.</summary>
/// <remarks>
/// Changes wait in a queue. All that wait when the writer comes are one transaction, so that what is written at the same time costs one
/// flush. A file that turns out to be damaged is set aside in the quarantine with a reason, and an empty one begins;
/// <see cref="IsNew"/> says so to those who can fill it again.
/// </remarks>
public sealed partial class SmallDatabase : IDisposable
{
    /// <summary>How long a change that nobody waits for may wait for company.</summary>
    private static readonly TimeSpan _laziness = TimeSpan.FromSeconds(1);

    private static readonly int _mostReaders = Math.Clamp(Environment.ProcessorCount, 2, 8);

    private readonly StorePaths _paths;
    private readonly ILogger _logger;
    private readonly Channel<Change> _changes = Channel.CreateUnbounded<Change>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private readonly AsyncAutoResetEvent _awaited = new();
    private readonly SemaphoreSlim _turns = new(_mostReaders, _mostReaders);
    private readonly ConcurrentStack<SmallConnection> _readers = new();
    private readonly Lock _settingAside = new();
    private readonly Lock _commitGate = new();
    private readonly Task _writing;
    private SmallConnection? _writer;
    private volatile int _generation;

    /// <summary>Opens the engine of a folder that this process has locked; made when missing.</summary>
    internal SmallDatabase(StorePaths paths, ILogger logger)
    {
        _paths = paths;
        _logger = logger;
        OpenOrSetAside();
        _writing = Task.Run(WriteAllAsync);
    }

    private sealed record Change(Action<SmallConnection> Apply, TaskCompletionSource Done, bool IsAwaited);

    /// <summary>Whether the file was made, or made anew, by this process, and has not been declared full since.</summary>
    public bool IsNew { get; private set; }

    public string? SetAsideBecause { get; private set; }

    public void DeclareFull() => IsNew = false;

    /// <summary>Makes a change. When the task is done, it outlives a power failure.</summary>
    /// <exception cref="DiskFullException">There is no room for it.</exception>
    public Task WriteAsync(Action<SmallConnection> change)
    {
        var done = Enqueue(change, isAwaited: true);
        _awaited.Set();
        return done;
    }

    /// <summary>As <see cref="WriteAsync"/>, for those who cannot await: what is rare, or waits for the disk in any case.</summary>
    /// <inheritdoc cref="WriteAsync" path="/exception"/>
    public void Write(Action<SmallConnection> change) => WriteAsync(change).GetAwaiter().GetResult();

    /// <summary>Makes a change together with the next one that somebody waits for, or within a second. A kill may lose it.</summary>
    public Task WriteSoon(Action<SmallConnection> change) => Enqueue(change, isAwaited: false);

    /// <summary>Reads what is committed. Read in pages: as long as somebody reads, the engine's log grows.</summary>
    public T Read<T>(Func<SmallConnection, T> read)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            _turns.Wait();
            var generation = _generation;
            string damage;
            try
            {
                var reader = _readers.TryPop(out var idle) ? idle : SmallConnection.OpenReader(_paths.Small);
                try
                {
                    return read(reader);
                }
                finally
                {
                    _readers.Push(reader);
                }
            }
            catch (SqliteException e) when (isFirst && SmallConnection.IsDamage(e))
            {
                damage = e.Message;
            }
            catch (SqliteException e)
            {
                throw SmallConnection.Translate(e, _paths.Small);
            }
            finally
            {
                _turns.Release();
            }

            SetAside(generation, damage);
        }
    }

    /// <summary>Writes what waits, and closes: another process may have the folder then.</summary>
    public void Dispose()
    {
        _changes.Writer.TryComplete();
        _awaited.Set();
        _writing.GetAwaiter().GetResult();
        Close();
        _turns.Dispose();
    }

    private Task Enqueue(Action<SmallConnection> change, bool isAwaited)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ObjectDisposedException.ThrowIf(!_changes.Writer.TryWrite(new Change(change, done, isAwaited)), this);
        return done.Task;
    }

    private async Task WriteAllAsync()
    {
        while (await _changes.Reader.WaitToReadAsync())
        {
            await _awaited.WaitAsync(_laziness, TimeProvider.System, CancellationToken.None);
            var changes = new List<Change>();
            while (_changes.Reader.TryRead(out var change))
            {
                changes.Add(change);
            }

            Conclude(changes, TryCommit(changes));
            Tend();
        }
    }

    private void Conclude(List<Change> changes, Exception? fault)
    {
        foreach (var change in changes)
        {
            if (fault is null)
            {
                change.Done.TrySetResult();
            }
            else
            {
                change.Done.TrySetException(fault);
            }
        }

        if (fault is not null && changes.Exists(change => !change.IsAwaited))
        {
            Log.NotWritten(_logger, _paths.Small, fault.Message);
        }
    }

    private Exception? TryCommit(List<Change> changes)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            var generation = _generation;
            try
            {
                Commit(changes);
                return null;
            }
            catch (SqliteException e) when (isFirst && SmallConnection.IsDamage(e))
            {
                if (TrySetAside(generation, e.Message) is { } fault)
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

    private void Commit(List<Change> changes)
    {
        lock (_commitGate)
        {
            var writer = Writer();
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
            "{Database} is damaged ({Reason}) and was set aside as {Kept}; it is rebuilt from the contents and the catalog"
        )]
        public static partial void SetAside(ILogger logger, string database, string reason, string kept);

        [LoggerMessage(1121, LogLevel.Warning, "Could not write {Database}; it catches up later: {Reason}")]
        public static partial void NotWritten(ILogger logger, string database, string reason);
    }
}
