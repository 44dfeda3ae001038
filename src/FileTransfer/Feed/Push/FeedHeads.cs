using FileTransfer.Feed.Pull;

namespace FileTransfer.Feed.Push;

/// <summary>How far the feed goes, read once for all followers.</summary>
/// <param name="Sequences">The newest sequence of each bin.</param>
public sealed record FeedHeads(Guid Epoch, IReadOnlyList<long> Sequences)
{
    private readonly TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly (long After, Task<OfferedPage?> Page)?[] _pages = new (long, Task<OfferedPage?>)?[FeedPage.Bins];

    public static FeedHeads None { get; } = new(Guid.Empty, new long[FeedPage.Bins]);

    /// <summary>Completes when there are newer ones.</summary>
    public Task Next => _next.Task;

    public static async Task<FeedHeads> ReadAsync(Database database, CancellationToken cancellationToken)
    {
        const string sql =
            "SELECT c.feed_epoch, b.head FROM filetransfer.bins b CROSS JOIN filetransfer.cluster c ORDER BY b.bin";
        var rows = await database.QueryAsync<(Guid Epoch, long Head)>(sql, null, cancellationToken);
        return new FeedHeads(rows[0].Epoch, [.. rows.Select(row => row.Head)]);
    }

    public bool IsAsFarAs(FeedHeads other) => Epoch == other.Epoch && Sequences.SequenceEqual(other.Sequences);

    internal void Pass() => _next.TrySetResult();

    /// <summary>What follows a position of a bin, read once for all followers that are so far.</summary>
    internal Task<OfferedPage?> PageAsync(short bin, long after, Func<Task<OfferedPage?>> readAsync)
    {
        lock (_pages)
        {
            if (_pages[bin] is not { Page: { IsFaulted: false, IsCanceled: false } } kept || kept.After != after)
            {
                _pages[bin] = kept = (after, readAsync());
            }

            return kept.Page;
        }
    }
}
