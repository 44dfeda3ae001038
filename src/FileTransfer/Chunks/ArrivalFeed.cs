namespace FileTransfer.Chunks;

/// <summary>What one follower of a content under way has not been told yet. Costs memory for the gaps between what came since, at most.</summary>
public sealed class ArrivalFeed : IDisposable
{
    private readonly ArrivingContent _content;

    internal ArrivalFeed(ArrivingContent content) => _content = content;

    internal ChunkRanges Here { get; private set; } = new();

    internal bool IsComingTold { get; set; }

    /// <summary>Takes what is new.</summary>
    public ArrivalNews Take()
    {
        lock (_content.Gate)
        {
            var here = Here.Runs.Reverse().ToList();
            var coming = IsComingTold ? null : _content.Coming;
            Here = new ChunkRanges();
            IsComingTold = true;
            return new ArrivalNews(here, coming, _content.IsStored);
        }
    }

    /// <summary>Waits until there may be something to take, or for as long.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        var changed = _content.Changed();
        bool isNews;
        lock (_content.Gate)
        {
            isNews = !Here.IsEmpty || !IsComingTold || _content.IsStored is not null;
        }

        if (!isNews)
        {
            await changed.WaitAsync(atMost, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public void Dispose() => _content.Leave(this);
}

/// <param name="Here">Runs of chunks that are here since the last time, in order.</param>
/// <param name="Coming">What is about to come, all of it; null where that is as it was.</param>
/// <param name="IsStored">How it ended: with a stored file, or without; null while it is under way.</param>
public readonly record struct ArrivalNews(
    IReadOnlyList<(long First, long End)> Here,
    IReadOnlyList<ChunkRange>? Coming,
    bool? IsStored
);
