using FileTransfer.Catalog;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Feed.Reconciliation;

/// <summary>Decides what becomes of a file when catalog and folders do not agree. Knows no clock and no disk.</summary>
/// <remarks>
/// Of an Add and a removal the later one counts. What the catalog knows is a removal like any other: it stays, unless a folder has a later
/// Add. Where no order can be shown, a person decides; nothing is guessed by the time of a clock.
/// </remarks>
public sealed class Judge(FeedOrder order)
{
    /// <param name="folders">What the folders say of this one file.</param>
    /// <param name="catalog">What the catalog says of it; null where it does not know it.</param>
    public Verdict Decide(FileKey key, IReadOnlyList<FolderEvidence> folders, CatalogEvidence? catalog)
    {
        var held = folders
            .Where(folder => folder is { File: not null, Content: HeldContent.Here or HeldContent.Proven })
            .ToList();
        Verdict Is(VerdictKind kind, string reason) =>
            new(
                key,
                kind,
                reason,
                folders.Select(folder => folder.File?.Metadata).FirstOrDefault(metadata => metadata is not null),
                [.. held.Select(folder => folder.Node)],
                [.. folders.Where(folder => folder.File is { IsPinned: true }).Select(folder => folder.Node)],
                catalog
            );

        var removals = RemovalsOf(folders, catalog);
        if (catalog is { State: FileState.Added or FileState.Registered })
        {
            return DecideKnown(catalog, folders, removals, Is);
        }

        if (held.Count == 0)
        {
            return DecideWithoutContent(folders, removals, Is);
        }

        if (catalog is { State: FileState.Removed, Last: null })
        {
            return Is(VerdictKind.StaysRemoved, "the catalog knows that it was removed");
        }

        if (
            catalog is { State: FileState.Removed, Generation: var removed }
            && held.TrueForAll(folder => folder.File is { Added: null } file && file.Generation <= removed)
        )
        {
            // Its bytes were not deleted yet, and its Add is not the last of it in the feed.
            return Is(VerdictKind.StaysRemoved, "the catalog knows that this registration of it was removed");
        }

        if (removals.Count == 0)
        {
            return Is(VerdictKind.Restore, $"{Names(held)} has it, and nobody has seen it removed");
        }

        if (held.Find(folder => IsLaterThanAll(folder.File!.Added, removals)) is { } later)
        {
            return Is(VerdictKind.Restore, $"'{later.Node}' has an Add of it that is later than its removal");
        }

        if (removals.Find(removal => IsLaterThanAll(removal.At, held)) is { By: not null } last)
        {
            return Is(VerdictKind.StaysRemoved, $"{last.By} knows a removal that is later than its Add");
        }

        return Is(
            VerdictKind.Undecided,
            $"{Names(held)} has it, {string.Join(" and ", removals.Select(removal => removal.By).Distinct())} knows a removal, and which is the later is not known"
        );
    }

    private Verdict DecideKnown(
        CatalogEvidence catalog,
        IReadOnlyList<FolderEvidence> folders,
        List<(string By, FeedPosition At)> removals,
        Func<VerdictKind, string, Verdict> verdict
    )
    {
        if (catalog is not { State: FileState.Added, Last: { } added } || removals.Count == 0)
        {
            return verdict(VerdictKind.InOrder, "the catalog has it");
        }

        var adds = folders.Select(folder => folder.File?.Added).OfType<FeedPosition>().Append(added).ToList();
        var last = removals.Find(removal => adds.TrueForAll(add => order.Compare(removal.At, add) > 0));
        return last.By is not null
            ? verdict(VerdictKind.Remove, $"{last.By} has seen a removal that is later than the catalog's Add")
            : verdict(VerdictKind.InOrder, "the catalog has it, and no removal is known to be later");
    }

    private static Verdict DecideWithoutContent(
        IReadOnlyList<FolderEvidence> folders,
        List<(string By, FeedPosition At)> removals,
        Func<VerdictKind, string, Verdict> verdict
    )
    {
        if (removals.Count > 0 || folders.All(folder => folder.File is null))
        {
            return verdict(VerdictKind.InOrder, "it was removed, and nobody has its content");
        }

        var damaged = folders.FirstOrDefault(folder => folder.Content == HeldContent.Damaged);
        return damaged is null
            ? verdict(VerdictKind.Lost, $"{Names(folders)} remembers it, and none of the folders has its content")
            : verdict(VerdictKind.Undecided, $"its content at '{damaged.Node}' is damaged, and none of the other folders has it");
    }

    private static List<(string By, FeedPosition At)> RemovalsOf(IReadOnlyList<FolderEvidence> folders, CatalogEvidence? catalog)
    {
        var removals = folders
            .Where(folder => folder.Removal is not null)
            .Select(folder => (By: $"'{folder.Node}'", folder.Removal!.At))
            .ToList();
        if (catalog is { State: FileState.Removed, Last: { } last })
        {
            removals.Insert(0, ("the catalog", last));
        }

        return removals;
    }

    private bool IsLaterThanAll(FeedPosition? add, List<(string By, FeedPosition At)> removals) =>
        add is { } position && removals.TrueForAll(removal => order.Compare(position, removal.At) > 0);

    private bool IsLaterThanAll(FeedPosition removal, List<FolderEvidence> held) =>
        held.TrueForAll(folder => folder.File!.Added is { } add && order.Compare(removal, add) > 0);

    private static string Names(IReadOnlyList<FolderEvidence> folders) =>
        string.Join(" and ", folders.Select(folder => $"'{folder.Node}'").Distinct());
}
