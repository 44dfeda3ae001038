namespace FileTransfer.Chunks.Ledger;

/// <summary>The histories of the feed, the present one last, as the catalog has told them when the node joined.</summary>
public sealed class FeedHistory
{
    private volatile IReadOnlyList<LedgerEpoch> _epochs = [];

    public IReadOnlyList<LedgerEpoch> Epochs
    {
        get => _epochs;
        set => _epochs = value;
    }

    /// <summary>Which history a file's mutation belongs to; null where none has been told yet, or there is no sequence.</summary>
    public FeedPosition? PositionOf(FileKey key, long? sequence) => sequence is { } at ? PositionOf(key.Bin, at) : null;

    public FeedPosition? PositionOf(int bin, long at)
    {
        var epochs = _epochs;
        if (epochs.Count == 0)
        {
            return null;
        }

        for (var i = epochs.Count - 1; i > 0; i--)
        {
            if (at > epochs[i].Heads[bin])
            {
                return new FeedPosition(epochs[i].Epoch, at);
            }
        }

        return new FeedPosition(epochs[0].Epoch, at);
    }
}
