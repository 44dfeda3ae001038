using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Feed;

/// <summary>Offers what has just come by the feed to the lanes: one that is free claims it while it puts it into the queue.</summary>
/// <remarks>One offer at a time is open. The reader of the feed waits for its end, so a bin's pages are applied in their order.</remarks>
public sealed class FeedOffers(FeedApplier applier, QueueSignal queue, TimeProvider time)
{
    /// <summary>How long an offer is open: lanes that have small files under way come back sooner, others do not keep the feed waiting.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(200);

    private Offer? _open;

    /// <returns>What is left of the pages: nothing was done with all of it where no lane was free.</returns>
    public async Task<IReadOnlyList<FeedPage>> OfferAsync(IReadOnlyList<FeedPage> pages, CancellationToken cancellationToken)
    {
        var offer = new Offer(pages);
        _open = offer;
        queue.Wake();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(offer.Taken, Task.Delay(_patience, time, patience.Token));
        await patience.CancelAsync();
        if (Interlocked.CompareExchange(ref _open, null, offer) == offer)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return pages;
        }

        return await offer.Left.WaitAsync(cancellationToken);
    }

    /// <summary>Puts the first of what is offered into the queue, claimed where it can be.</summary>
    /// <returns>Null where nothing is offered.</returns>
    public async Task<ClaimOutcome?> TryClaimAsync(LockConnection session, ClaimLimit limit, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _open, null) is not { } offer)
        {
            return null;
        }

        var left = offer.Pages;
        try
        {
            offer.Take();
            var (part, rest) = FeedPage.Split(offer.Pages, limit.Files);
            var outcome = await applier.ClaimAsync(session, part, limit, cancellationToken);
            left = rest;
            return outcome;
        }
        finally
        {
            offer.End(left);
        }
    }

    private sealed class Offer(IReadOnlyList<FeedPage> pages)
    {
        private readonly TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<IReadOnlyList<FeedPage>> _left = new(
            TaskCreationOptions.RunContinuationsAsynchronously
        );

        public IReadOnlyList<FeedPage> Pages => pages;

        public Task Taken => _taken.Task;

        public Task<IReadOnlyList<FeedPage>> Left => _left.Task;

        public void Take() => _taken.SetResult();

        public void End(IReadOnlyList<FeedPage> left) => _left.SetResult(left);
    }
}
