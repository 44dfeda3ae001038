namespace FileTransfer.Postgres;

public sealed partial class LockConnection
{
    private static readonly TimeSpan IdleBeforeListening = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PingPeriod = TimeSpan.FromSeconds(2);

    private Task _listening = Task.CompletedTask;
    private CancellationTokenSource? _stopListening;

    /// <summary>A notification on a channel that this session LISTENs to.</summary>
    /// <remarks>
    /// Raised on the session's own path: hand the work on, do not use the session from here. Where somebody hears, the session listens as soon
    /// as nobody uses it.
    /// </remarks>
#pragma warning disable MA0046 // A channel and a text need no sender and no class.
    public event Action<NpgsqlNotificationEventArgs>? Notified;
#pragma warning restore MA0046

    /// <summary>Whether the session is reading its socket because nobody uses it.</summary>
    internal bool IsListening => !_listening.IsCompleted;

    private void StartListening()
    {
        if (_lostBecause is not null || !_gate.Wait(0, CancellationToken.None))
        {
            return; // In use: the user starts the clock again.
        }

        if (_listening.IsCompleted)
        {
            _stopListening?.Dispose();
            _stopListening = new CancellationTokenSource();
            _listening = ListenAsync(_stopListening.Token);
        }

        _gate.Release();
    }

    private async Task StopListeningAsync()
    {
        if (!_listening.IsCompleted)
        {
            await _stopListening!.CancelAsync();
            await _listening;
        }
    }

    private async Task ListenAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                if (await _connection.WaitAsync(PingPeriod, stop))
                {
                    continue;
                }

                // A dead network says nothing at all: ask. Not cancelled by a user in a hurry, for a cancel request costs more than the answer.
                await using var ping = new NpgsqlCommand("SELECT 1", _connection);
                await ping.ExecuteNonQueryAsync(CancellationToken.None).WaitAsync(AnswerTimeout, _time, CancellationToken.None);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested) { }
        catch (Exception e)
        {
            Lose(e.Message);
        }
    }

    private void Raise(NpgsqlNotificationEventArgs notification)
    {
        try
        {
            Notified?.Invoke(notification);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(_logger, e, notification.Channel);
        }
    }
}
