namespace FileTransfer.Postgres;

/// <summary>A held advisory lock. Disposing releases it.</summary>
/// <remarks>
/// Holding this object proves nothing: what counts is <see cref="ProveAsync"/>, or <see cref="AdvisoryLockKey.HeldByThisSession"/>
/// inside the very statement that writes under the lock.
/// </remarks>
public sealed class AdvisoryLockHandle : IAsyncDisposable
{
    private readonly CancellationTokenSource _lost;
    private int _disposed;

    private AdvisoryLockHandle(LockConnection session, AdvisoryLockKey key)
    {
        Session = session;
        Key = key;
        _lost = CancellationTokenSource.CreateLinkedTokenSource(session.Lost);
        Lost = _lost.Token;
    }

    public AdvisoryLockKey Key { get; }

    public LockConnection Session { get; }

    /// <summary>Cancelled once the lock is known to be gone: its session ended, or a proof failed.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Takes the lock if nobody holds it; null = somebody does.</summary>
    /// <exception cref="InvalidOperationException">This session holds it already. Session locks stack, and one unlock would not free them.</exception>
    public static async Task<AdvisoryLockHandle?> TryAcquireAsync(
        LockConnection session,
        AdvisoryLockKey key,
        CancellationToken cancellationToken
    ) => await session.TryLockAsync(key, cancellationToken) ? new AdvisoryLockHandle(session, key) : null;

    /// <summary>A lease on a lock that a statement of the caller's own has just taken on this session.</summary>
    public static AdvisoryLockHandle Adopt(LockConnection session, AdvisoryLockKey key) => new(session, key);

    /// <summary>Asks the server whether the lock is still held. No answer in time counts as no.</summary>
    public async Task<bool> ProveAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _disposed) == 0 && await Session.ProveAsync(Key, cancellationToken))
        {
            return true;
        }

        await LoseAsync();
        return false;
    }

    /// <summary>Unlocks and checks the answer. A session whose answer is wrong is given up: closing it frees whatever is left.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        try
        {
            if (!_lost.IsCancellationRequested)
            {
                await Session.ReleaseAsync(Key);
            }
        }
        finally
        {
            await LoseAsync();
            _lost.Dispose();
        }
    }

    private async Task LoseAsync()
    {
        try
        {
            await _lost.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // A proof that raced the end of the lease: it was lost already.
        }
    }
}
