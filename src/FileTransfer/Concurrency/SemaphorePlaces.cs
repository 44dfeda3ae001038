namespace FileTransfer.Concurrency;

internal static class SemaphorePlaces
{
    /// <summary>Waits for a place, which is given back when it is disposed.</summary>
    public static async Task<IDisposable> EnterAsync(this SemaphoreSlim semaphore, CancellationToken cancellationToken)
    {
        await semaphore.WaitAsync(cancellationToken);
        return new Place(semaphore);
    }

    private sealed class Place(SemaphoreSlim semaphore) : IDisposable
    {
        public void Dispose() => semaphore.Release();
    }
}
