namespace FileTransfer.Feed;

/// <summary>Where mutations come from. What they do at this node is <see cref="FeedApplier"/>'s.</summary>
public interface IFeedSource
{
    /// <summary>What follows this node's position in each bin that has grown beyond it, as far as a page of the bin goes.</summary>
    Task<IReadOnlyList<FeedPage>> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>Mutations of one bin that follow each other.</summary>
/// <param name="Epoch">The history that they belong to.</param>
/// <param name="After">The sequence that comes before the first.</param>
public sealed record FeedPage(Guid Epoch, short Bin, long After, IReadOnlyList<Mutation> Mutations)
{
    /// <summary>How many bins a feed is split in.</summary>
    public const int Bins = 16;

    /// <summary>The newest sequence of the bin, where it is read to be applied.</summary>
    public long Head { get; init; }

    /// <summary>The first sequence of the bin that is kept, where it is read to be applied.</summary>
    public long RetainedFrom { get; init; } = 1;

    /// <summary>What comes next is not kept any more: files are compared instead.</summary>
    public bool IsCompacted => After + 1 < RetainedFrom;

    /// <summary>The sequence of the last one; the position where there is none.</summary>
    public long Last => Mutations is [.., var last] ? last.Sequence : After;

    /// <summary>Of several mutations of one file the last one says how it is.</summary>
    public IEnumerable<Mutation> NewestOfEach() =>
        Mutations.GroupBy(mutation => mutation.Key).Select(mutations => mutations.Last());

    /// <summary>The first so many mutations of some pages, and what is left of them.</summary>
    public static (IReadOnlyList<FeedPage> Part, IReadOnlyList<FeedPage> Left) Split(IReadOnlyList<FeedPage> pages, int mutations)
    {
        var (part, rest) = (new List<FeedPage>(), new List<FeedPage>());
        foreach (var page in pages)
        {
            var count = Math.Min(mutations, page.Mutations.Count);
            mutations -= count;
            var first = page with { Mutations = [.. page.Mutations.Take(count)] };
            if (count > 0)
            {
                part.Add(first);
            }

            if (count < page.Mutations.Count)
            {
                rest.Add(page with { After = first.Last, Mutations = [.. page.Mutations.Skip(count)] });
            }
        }

        return (part, rest);
    }

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
