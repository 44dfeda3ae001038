using FileTransfer.Catalog;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Feed.Reconciliation;

/// <summary>Reads what the catalog knows of every file, removed ones too, with the last mutation of each.</summary>
public sealed class CatalogReading(FileCatalog catalog, FeedHistory history)
{
    private const int PageSize = 2000;

    /// <summary>In the order of the keys, a page at a time.</summary>
    public async IAsyncEnumerable<CatalogEvidence> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        FileKey? after = null;
        while (await catalog.StatesAsync(after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var file in page)
            {
                yield return new CatalogEvidence(
                    file.Key,
                    file.State,
                    file.Generation,
                    history.PositionOf(file.Key, file.Sequence)
                );
            }

            after = page[^1].Key;
        }
    }
}
