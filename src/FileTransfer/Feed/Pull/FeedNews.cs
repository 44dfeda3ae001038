namespace FileTransfer.Feed.Pull;

/// <summary>Wakes everybody who waits for the feed to grow. What was told is a hint: whoever waits looks at every <see cref="_period"/> all the same.</summary>
/// <remarks>So a hint that was lost costs that long, and so does a database that went away: whoever waits is told, and asks another node.</remarks>
public sealed class FeedNews : IDisposable
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly IDisposable _growth;
    private volatile TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FeedNews(Database database, TimeProvider time)
    {
        _time = time;
        _growth = database.Notifications.Subscribe(FeedAppender.Grown, _ => Tell());
    }

    /// <summary>Completes with the next news: taken before the feed is read, none is missed.</summary>
    public Task Next => _next.Task;

    /// <summary>Reads until there is something, or the wait is over.</summary>
    /// <param name="readAsync">Reads; what it is given tells reads of before a piece of news from those after it.</param>
    /// <param name="ended">Ends the wait: the answer is what there was at last.</param>
    public async Task<T> ReadWhenAsync<T>(
        Func<Task, Task<T>> readAsync,
        Func<T, bool> isEnough,
        TimeSpan wait,
        CancellationToken ended
    )
    {
        var since = _time.GetTimestamp();
        while (true)
        {
            var news = Next;
            var read = await readAsync(news);
            var left = wait - _time.GetElapsedTime(since);
            if (isEnough(read) || left <= TimeSpan.Zero || ended.IsCancellationRequested)
            {
                return read;
            }

            await news.WaitAsync(left < _period ? left : _period, _time, ended)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _growth.Dispose();

    private void Tell() =>
        Interlocked.Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
}
