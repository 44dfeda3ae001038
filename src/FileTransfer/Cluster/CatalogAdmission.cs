using FileTransfer.Chunks.Folder;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Cluster;

/// <summary>What a folder thinks of the catalog that it finds.</summary>
public abstract record CatalogAdmission
{
    private CatalogAdmission() { }

    /// <summary>It is the folder's own, where the folder left it or further on.</summary>
    public sealed record Same : CatalogAdmission;

    /// <summary>The folder belongs to none yet and holds nothing that could be lost.</summary>
    public sealed record First : CatalogAdmission;

    /// <summary>The folder holds contents and does not say whose: it is accepted where the catalog knows them.</summary>
    public sealed record Unnamed : CatalogAdmission;

    /// <summary>Its own, on a higher timeline: a standby was promoted, or the server was restored to a point in time.</summary>
    /// <param name="Lost">How many mutations that were seen here it does not have.</param>
    public sealed record Promoted(long Lost) : CatalogAdmission;

    /// <summary>Another, or an older one.</summary>
    /// <param name="IsOlder">It calls itself the folder's own, and is not where that was: its history is not to be continued.</param>
    public sealed record Foreign(string Found, string Expected, bool IsOlder = false) : CatalogAdmission;

    /// <param name="known">What the folder says; null where it says nothing.</param>
    /// <param name="hasContents">Whether there is something in the folder that could be lost.</param>
    /// <param name="histories">The histories of the feed that the catalog tells of.</param>
    /// <param name="diverged">In how many bins it has another mutation where the folder has seen one.</param>
    public static CatalogAdmission Judge(
        FolderIdentity? known,
        string node,
        string cluster,
        bool hasContents,
        CatalogIdentity found,
        IReadOnlyCollection<Guid> histories,
        int diverged = 0
    )
    {
        if (known is null)
        {
            return !hasContents ? new First()
                : found.HasCatalog ? new Unnamed()
                : new Foreign("a database without a catalog", "one that knows the contents of this folder");
        }

        if (known.Node != node || known.Cluster != cluster)
        {
            return new Foreign(
                $"that this process is node '{node}' of cluster '{cluster}'",
                $"node '{known.Node}' of cluster '{known.Cluster}', whose folder this is"
            );
        }

        if (found.FeedEpoch is not { } epoch)
        {
            return hasContents
                ? new Foreign("a database without a catalog", $"the one with feed epoch {known.FeedEpoch}")
                : new First();
        }

        if (found.SystemIdentifier != known.SystemIdentifier)
        {
            return new Foreign(
                $"a database server with system identifier {found.SystemIdentifier}",
                $"the one with {known.SystemIdentifier}"
            );
        }

        if (found.Timeline < known.Timeline)
        {
            return new Foreign(
                $"the database server on timeline {found.Timeline}, which a promotion has left behind",
                $"timeline {known.Timeline} or a higher one"
            );
        }

        if (epoch != known.FeedEpoch && (found.Timeline == known.Timeline || !histories.Contains(known.FeedEpoch)))
        {
            return new Foreign($"a catalog with feed epoch {epoch}", $"feed epoch {known.FeedEpoch}");
        }

        var lost = LostOf(known, found) + diverged;
        if (found.Timeline > known.Timeline)
        {
            return new Promoted(lost);
        }

        return diverged > 0
                ? new Foreign(
                    "a copy of the catalog whose feed went another way",
                    $"the one whose feed was seen at {known.SeenAt.ToString("u", CultureInfo.InvariantCulture)}",
                    IsOlder: true
                )
            : lost > 0
                ? new Foreign(
                    $"the catalog {lost} mutations of the feed behind where it was seen",
                    $"it as it was seen at {known.SeenAt.ToString("u", CultureInfo.InvariantCulture)}",
                    IsOlder: true
                )
            : found.Flushed < known.Flushed
                ? new Foreign(
                    $"the database server's log at {Position(found.Flushed)}",
                    $"it at {Position(known.Flushed)} or further",
                    IsOlder: true
                )
            : new Same();
    }

    /// <summary>Refuses a catalog after which another node's began, as the folder was told; null where none did, or it has got there.</summary>
    public static Foreign? Superseded(FolderIdentity? known, CatalogIdentity found, IReadOnlyList<LedgerEpoch> histories) =>
        known?.SupersededBy is { } later && !later.IsReachedBy([.. histories.Select(one => one.Epoch)], found.LeaderEpoch)
            ? new Foreign(
                "a catalog that was superseded",
                $"the one of node '{later.Node}' at {later.Url.OriginalString}, with feed epoch {later.FeedEpoch} and leader epoch {later.LeaderEpoch}"
            )
            : null;

    private static long LostOf(FolderIdentity known, CatalogIdentity found) =>
        known.BinHeads.Zip(found.BinHeads ?? [], (seen, here) => Math.Max(0, seen - here)).Sum();

    private static string Position(ulong at) => string.Create(CultureInfo.InvariantCulture, $"{at >> 32:X}/{(uint)at:X}");
}
