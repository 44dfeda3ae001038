namespace FileTransfer.Feed;

/// <summary>Where mutations come from. What they do at this node is <see cref="FeedApplier"/>'s.</summary>
public interface IFeedSource
{
    /// <summary>The bins that have grown beyond this node's position in them.</summary>
    Task<IReadOnlyList<BinGrowth>> FindGrownAsync(CancellationToken cancellationToken);

    /// <summary>What follows a position of a bin, as far as a page goes.</summary>
    Task<FeedPage> ReadAsync(short bin, long after, CancellationToken cancellationToken);
}

/// <param name="Position">The last sequence of the bin that this node has applied; 0 before the first.</param>
/// <param name="Head">The newest sequence of the bin.</param>
public sealed record BinGrowth(short Bin, long Position, long Head);

/// <summary>Mutations of one bin that follow each other.</summary>
/// <param name="Epoch">The history that they belong to.</param>
/// <param name="After">The sequence that comes before the first.</param>
public sealed record FeedPage(Guid Epoch, short Bin, long After, IReadOnlyList<Mutation> Mutations)
{
    /// <summary>How many bins a feed is split in.</summary>
    public const int Bins = 16;

    /// <summary>The sequence of the last one; the position where there is none.</summary>
    public long Last => Mutations is [.., var last] ? last.Sequence : After;

    /// <exception cref="FeedGapException">A sequence is missing, or there is none: a page is asked for only where the bin goes on.</exception>
    public void RequireDense()
    {
        for (var i = 0; i < Math.Max(Mutations.Count, 1); i++)
        {
            var expected = After + 1 + i;
            var found = i < Mutations.Count ? Mutations[i].Sequence : (long?)null;
            if (found != expected)
            {
                throw new FeedGapException(Epoch, Bin, expected, found);
            }
        }
    }
}

/// <summary>A bin's sequences are not dense: something was lost that must not be stepped over.</summary>
public sealed class FeedGapException(Guid epoch, short bin, long expected, long? found)
    : Exception(
        $"Bin {bin} of the feed has a gap: after {expected - 1} comes {found?.ToString() ?? "nothing"} (feed epoch {epoch}). The database lost part of the feed; restore it from a backup."
    );
