namespace FileTransfer.Feed.Pull;

public enum CancelOutcome
{
    Cancelled,
    Unknown,
    OfAnother,
}

/// <summary>The named requests of peers that are running, so that each peer can end its own.</summary>
public sealed class SyncRequests
{
    private readonly ConcurrentDictionary<string, Running> _running = new();

    /// <summary>Follows a request until the answer is disposed; null where one of this id is running.</summary>
    /// <param name="id">Null: nobody can end it by name.</param>
    /// <param name="gone">What ends its wait besides.</param>
    public Running? TryBegin(string? id, string peer, params ReadOnlySpan<CancellationToken> gone)
    {
        var request = new Running(this, id, peer, CancellationTokenSource.CreateLinkedTokenSource(gone));
        if (id is null || _running.TryAdd(id, request))
        {
            return request;
        }

        request.Dispose();
        return null;
    }

    public CancelOutcome Cancel(string id, string peer)
    {
        if (!_running.TryGetValue(id, out var request))
        {
            return CancelOutcome.Unknown;
        }

        if (request.Peer != peer)
        {
            return CancelOutcome.OfAnother;
        }

        request.Cancel();
        return CancelOutcome.Cancelled;
    }

    public sealed class Running(SyncRequests requests, string? id, string peer, CancellationTokenSource end) : IDisposable
    {
        public string Peer => peer;

        /// <summary>Nobody waits for it any more: it answers what it has.</summary>
        public CancellationToken Ended => end.Token;

        public void Cancel()
        {
            try
            {
                end.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has just been answered.
            }
        }

        public void Dispose()
        {
            if (id is not null)
            {
                requests._running.TryRemove(KeyValuePair.Create(id, this));
            }

            end.Dispose();
        }
    }
}
