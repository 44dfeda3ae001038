using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Feed.Reconciliation;

/// <summary>Reads what the data folder of this node remembers, and looks at its contents.</summary>
public sealed class FolderReading(FolderLedger ledger, ChunkStore store, ReplicaTable replicas, NodeId node)
{
    private const int PageSize = 500;

    /// <summary>In the order of the keys.</summary>
    /// <param name="proves">Whether contents are hashed that the catalog does not call stored here: the others were proven when they became so.</param>
    public async IAsyncEnumerable<FolderEvidence> ReadAsync(
        bool proves,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var files = All(ledger.Files, file => file.Key);
        var removals = All(ledger.Removals, removal => removal.Key);
        foreach (var page in EvidenceMerge.OfFolder(node.Value, files, removals, ContentOf).Chunk(PageSize))
        {
            var unproven = proves ? await NotStoredAsync(page, cancellationToken) : [];
            foreach (var evidence in page)
            {
                var isUnproven = unproven.Contains(evidence.Key);
                var content = isUnproven ? await ProveAsync(evidence.File!, cancellationToken) : evidence.Content;
                yield return evidence with
                {
                    Content = content,
                };
            }
        }
    }

    private async Task<HashSet<FileKey>> NotStoredAsync(FolderEvidence[] page, CancellationToken cancellationToken) =>
        [
            .. await replicas.NotInStateAsync(
                node,
                [.. page.Where(evidence => evidence.Content == HeldContent.Here).Select(evidence => evidence.Key)],
                [ReplicaState.Stored],
                cancellationToken
            ),
        ];

    private HeldContent ContentOf(LedgerFile file) =>
        store.Contains(file.Fingerprint, file.Size) ? HeldContent.Here
        : store.Holds(file.Fingerprint) ? HeldContent.Damaged
        : HeldContent.Absent;

    private async Task<HeldContent> ProveAsync(LedgerFile file, CancellationToken cancellationToken) =>
        await store.ProveAsync(file.Fingerprint, file.Size, always: false, proven: null, pace: null, cancellationToken) switch
        {
            ContentFinding.Intact { Size: var size } when size == file.Size => HeldContent.Proven,
            ContentFinding.Absent => HeldContent.Absent,
            _ => HeldContent.Damaged,
        };

    private static IEnumerable<T> All<T>(Func<FileKey?, int, IReadOnlyList<T>> read, Func<T, FileKey> keyOf)
    {
        FileKey? after = null;
        while (read(after, PageSize) is { Count: > 0 } page)
        {
            foreach (var one in page)
            {
                yield return one;
            }

            after = keyOf(page[^1]);
        }
    }
}
