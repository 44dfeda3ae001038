using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Feed.Reconciliation;

/// <summary>Brings together what is known of one file; everything comes in the order of the keys, so one file is held at a time.</summary>
public static class EvidenceMerge
{
    /// <summary>What one folder says of each file.</summary>
    public static IEnumerable<FolderEvidence> OfFolder(
        string node,
        IEnumerable<LedgerFile> files,
        IEnumerable<LedgerRemoval> removals,
        Func<LedgerFile, HeldContent> contentOf
    )
    {
        using var file = files.GetEnumerator();
        using var removal = removals.GetEnumerator();
        var hasFile = file.MoveNext();
        var hasRemoval = removal.MoveNext();
        while (hasFile || hasRemoval)
        {
            var order =
                !hasFile ? 1
                : !hasRemoval ? -1
                : file.Current.Key.CompareTo(removal.Current.Key);
            var found = order <= 0 ? file.Current : null;
            var removed = order >= 0 ? removal.Current : null;
            yield return new FolderEvidence(
                node,
                (found?.Key ?? removed?.Key)!.Value,
                found,
                removed,
                found is null ? HeldContent.Absent : contentOf(found)
            );
            hasFile = found is null ? hasFile : file.MoveNext();
            hasRemoval = removed is null ? hasRemoval : removal.MoveNext();
        }
    }

    /// <summary>What all folders and the catalog say of each file.</summary>
    public static async IAsyncEnumerable<(
        FileKey Key,
        IReadOnlyList<FolderEvidence> Folders,
        CatalogEvidence? Catalog
    )> OfAllAsync(IReadOnlyList<IAsyncEnumerable<FolderEvidence>> folders, IAsyncEnumerable<CatalogEvidence> catalog)
    {
        await using var known = await Cursor<CatalogEvidence>.OpenAsync(catalog, evidence => evidence.Key);
        var cursors = new List<Cursor<FolderEvidence>>();
        try
        {
            foreach (var folder in folders)
            {
                cursors.Add(await Cursor<FolderEvidence>.OpenAsync(folder, evidence => evidence.Key));
            }

            while (cursors.Select(cursor => cursor.Key).Append(known.Key).Min() is { } key)
            {
                var said = new List<FolderEvidence>(cursors.Count);
                foreach (var cursor in cursors.Where(cursor => cursor.Key == key))
                {
                    said.Add(await cursor.TakeAsync());
                }

                yield return (key, said, known.Key == key ? await known.TakeAsync() : null);
            }
        }
        finally
        {
            foreach (var cursor in cursors)
            {
                await cursor.DisposeAsync();
            }
        }
    }

    /// <summary>A place in what one of them says.</summary>
    private sealed class Cursor<T>(IAsyncEnumerator<T> items, Func<T, FileKey> keyOf) : IAsyncDisposable
    {
        /// <summary>The key that comes next; null at the end.</summary>
        public FileKey? Key { get; private set; }

        public static async Task<Cursor<T>> OpenAsync(IAsyncEnumerable<T> items, Func<T, FileKey> keyOf)
        {
            var cursor = new Cursor<T>(items.GetAsyncEnumerator(), keyOf);
            await cursor.MoveAsync();
            return cursor;
        }

        public async Task<T> TakeAsync()
        {
            var taken = items.Current;
            await MoveAsync();
            return taken;
        }

        public ValueTask DisposeAsync() => items.DisposeAsync();

        private async Task MoveAsync()
        {
            var last = Key;
            Key = await items.MoveNextAsync() ? keyOf(items.Current) : null;
            if (last is { } before && Key is { } now && now.CompareTo(before) <= 0)
            {
                throw new InvalidDataException($"{now} came after {before}; the order of the keys was promised.");
            }
        }
    }
}
