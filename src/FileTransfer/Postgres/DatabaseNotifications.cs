using System.Threading.Channels;

namespace FileTransfer.Postgres;

/// <summary>Sends hints to whoever listens at the database, each after the commit of what it tells of, and passes on those that are heard.</summary>
/// <remarks>
/// This process hears its own at once, and not by way of the server.
///
/// Never in the transaction that does the work: a commit with a NOTIFY holds one lock of the whole server until its standby has answered,
/// and every other such commit waits for it. These wait for nobody: they flush nothing, wait a second at most for that lock, and are grouped
/// while one is on its way. What is lost of them costs the listener its polling interval.
/// </remarks>
public sealed partial class DatabaseNotifications : IAsyncDisposable
{
    /// <summary>Hints that wait at most; what comes on top of them is found by polling.</summary>
    private const int Most = 10_000;

    private readonly Channel<Hint> _hints = Channel.CreateBounded<Hint>(
        new BoundedChannelOptions(Most) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );
    private readonly CancellationTokenSource _disposed = new();
    private readonly NpgsqlDataSource _pool;
    private readonly ILogger _logger;
    private readonly Task _sending;
    private volatile int _sender;

    public DatabaseNotifications(NpgsqlDataSource pool, ILogger<DatabaseNotifications> logger)
    {
        (_pool, _logger) = (pool, logger);
        _sending = Task.Run(SendAllAsync);
    }

    private event Action<string, string>? Heard;

    /// <summary>Sends soon, and does not wait for it. The same hint twice in quick succession is one.</summary>
    public void Send<T>(NotificationChannel<T> channel, T value)
        where T : class
    {
        var hint = new Hint(channel.Name, channel.Write(value));
        _hints.Writer.TryWrite(hint);
        Heard?.Invoke(hint.Channel, hint.Payload);
    }

    /// <summary>Calls <paramref name="hear"/> for what is told on a channel, until the answer is disposed.</summary>
    /// <param name="hear">Called on the path of the session that listens, or of whoever sends: hands its work on.</param>
    public IDisposable Subscribe<T>(NotificationChannel<T> channel, Action<T> hear)
        where T : class
    {
        void Hear(string name, string payload)
        {
            if (name == channel.Name && channel.Read(payload) is { } value)
            {
                hear(value);
            }
        }

        Heard += Hear;
        return new Subscription(() => Heard -= Hear);
    }

    /// <summary>Passes on what a session has heard, unless it is this process's own.</summary>
    public void Deliver(NpgsqlNotificationEventArgs notification)
    {
        if (notification.PID != _sender)
        {
            Heard?.Invoke(notification.Channel, notification.Payload);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _hints.Writer.TryComplete();
        await _disposed.CancelAsync();
        await _sending;
        _disposed.Dispose();
    }

    private async Task SendAllAsync()
    {
        while (!_disposed.IsCancellationRequested && await _hints.Reader.WaitToReadAsync())
        {
            var hints = new HashSet<Hint>();
            while (_hints.Reader.TryRead(out var hint))
            {
                hints.Add(hint);
            }

            try
            {
                await SendAsync(hints, _disposed.Token);
            }
            catch (Exception e) when (e is NpgsqlException or OperationCanceledException or ObjectDisposedException)
            {
                Log.NotSent(_logger, hints.Count, e.Message);
            }
        }
    }

    private async Task SendAsync(HashSet<Hint> hints, CancellationToken cancellationToken)
    {
        await using var connection = await _pool.OpenConnectionAsync(cancellationToken);
        _sender = connection.ProcessID;
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '1s', true)"),
                new("SELECT pg_notify(channel, payload) FROM unnest($1, $2) AS hint (channel, payload)")
                {
                    Parameters =
                    {
                        new NpgsqlParameter<string[]> { TypedValue = [.. hints.Select(hint => hint.Channel)] },
                        new NpgsqlParameter<string[]> { TypedValue = [.. hints.Select(hint => hint.Payload)] },
                    },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }

    private readonly record struct Hint(string Channel, string Payload);

    private static partial class Log
    {
        [LoggerMessage(2060, LogLevel.Debug, "Could not send {Count} notifications; listeners fall back to polling: {Reason}")]
        public static partial void NotSent(ILogger logger, int count, string reason);
    }
}
