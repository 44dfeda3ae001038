namespace FileTransfer.Concurrency;

/// <summary>Does what many ask for at the same time once, and gives all of them the result.</summary>
public sealed class SharedWork<TKey, TResult>
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Lazy<Task<TResult>>> _running = new();

    /// <summary>Joins the work under way for <paramref name="key"/>, or begins it. Whoever leaves lets it go on for the others.</summary>
    public async Task<TResult> RunAsync(TKey key, Func<Task<TResult>> workAsync, CancellationToken cancellationToken)
    {
        Lazy<Task<TResult>> own = null!;
        own = new Lazy<Task<TResult>>(DoAsync);
        return await _running.GetOrAdd(key, own).Value.WaitAsync(cancellationToken);

        // It is over before anybody hears of its end: whoever asks then begins anew.
        async Task<TResult> DoAsync()
        {
            try
            {
                return await workAsync();
            }
            finally
            {
                _running.TryRemove(KeyValuePair.Create(key, own));
            }
        }
    }
}
