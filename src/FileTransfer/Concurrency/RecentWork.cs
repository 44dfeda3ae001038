namespace FileTransfer.Concurrency;

/// <summary>Does what many ask for again and again once for all who ask within a while: however many they are, it costs as much as for one.</summary>
/// <param name="age">How old a result may be: it is of what was there when its work began.</param>
public sealed class RecentWork<TKey, TResult>(TimeSpan age, TimeProvider time)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, (long Began, Task<TResult> Work)> _recent = [];

    /// <summary>Joins the work that has begun for <paramref name="key"/>, or begins it. Whoever leaves lets it go on for the others.</summary>
    public Task<TResult> RunAsync(TKey key, Func<Task<TResult>> workAsync, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_recent.TryGetValue(key, out var known) || IsOld(known))
            {
                foreach (var (old, _) in _recent.Where(one => IsOld(one.Value)).ToList())
                {
                    _recent.Remove(old);
                }

                _recent[key] = known = (time.GetTimestamp(), Task.Run(workAsync, CancellationToken.None));
            }

            return known.Work.WaitAsync(cancellationToken);
        }
    }

    private bool IsOld((long Began, Task<TResult> Work) one) => one.Work.IsCompleted && time.GetElapsedTime(one.Began) >= age;
}
