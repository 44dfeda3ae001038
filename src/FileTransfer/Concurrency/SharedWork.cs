namespace FileTransfer.Concurrency;

/// <summary>Does what many ask for at the same time once, and gives all of them the result.</summary>
public sealed class SharedWork<TKey, TResult>
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Lazy<Task<TResult>>> _running = new();

    /// <summary>Joins the work under way for <paramref name="key"/>, or begins it. Whoever leaves lets it go on for the others.</summary>
    public async Task<TResult> RunAsync(TKey key, Func<Task<TResult>> workAsync, CancellationToken cancellationToken)
    {
        var own = new Lazy<Task<TResult>>(workAsync);
        var shared = _running.GetOrAdd(key, own);
        if (shared == own)
        {
            _ = own.Value.ContinueWith(
                _ => _running.TryRemove(KeyValuePair.Create(key, own)),
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }

        return await shared.Value.WaitAsync(cancellationToken);
    }
}
