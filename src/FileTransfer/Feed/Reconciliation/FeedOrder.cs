using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Feed.Reconciliation;

/// <summary>Which of two positions of one bin is the later, over all histories of the feed that anybody remembers.</summary>
/// <remarks>
/// A history begins when the one before cannot be continued: after a failover, a restored backup, or with a new catalog. Within one history
/// the sequence decides; of two histories the one that began later.
/// </remarks>
public sealed class FeedOrder
{
    private readonly Dictionary<Guid, int> _places;

    public FeedOrder(IEnumerable<LedgerEpoch> epochs) =>
        _places = epochs
            .GroupBy(epoch => epoch.Epoch)
            .OrderBy(known => known.Min(epoch => epoch.BeganAt))
            .Select((known, place) => (known.Key, place))
            .ToDictionary(entry => entry.Key, entry => entry.place);

    /// <returns>Less than 0 where <paramref name="one"/> is the earlier; null where a history is not known, so nobody can tell.</returns>
    public int? Compare(FeedPosition one, FeedPosition other) =>
        one.Epoch == other.Epoch ? one.Sequence.CompareTo(other.Sequence)
        : _places.TryGetValue(one.Epoch, out var first) && _places.TryGetValue(other.Epoch, out var second)
            ? first.CompareTo(second)
        : null;
}
