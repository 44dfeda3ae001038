namespace FileTransfer.Postgres;

/// <remarks>
/// Holding this object proves nothing: what counts is <see cref="LockConnection.ProveAsync"/>, or
/// <see cref="AdvisoryLockKey.HeldByThisSession"/> inside the very statement that writes under the lock.
/// </remarks>
public sealed class AdvisoryLockHandle : IAsyncDisposable
{
    private readonly LockConnection _session;
    private readonly AdvisoryLockKey _key;
    private int _disposed;

    private AdvisoryLockHandle(LockConnection session, AdvisoryLockKey key) => (_session, _key) = (session, key);

    /// <exception cref="InvalidOperationException">This session holds it already. Session locks stack, and one unlock would not free them.</exception>
    public static async Task<AdvisoryLockHandle?> TryAcquireAsync(
        LockConnection session,
        AdvisoryLockKey key,
        CancellationToken cancellationToken
    ) => await session.TryLockAsync(key, cancellationToken) ? new AdvisoryLockHandle(session, key) : null;

    /// <summary>Waits for the lock for nearly a second; the session must not hold it.</summary>
    public static async Task<AdvisoryLockHandle?> AwaitAsync(
        LockConnection session,
        AdvisoryLockKey key,
        CancellationToken cancellationToken
    ) => await session.AwaitLockAsync(key, cancellationToken) ? new AdvisoryLockHandle(session, key) : null;

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await _session.ReleaseAsync(_key);
        }
    }
}
