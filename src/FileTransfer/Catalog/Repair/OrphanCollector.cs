using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Folder;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Catalog.Repair;

/// <summary>Deletes contents that no file refers to, after a grace time; what looks like a mistake is kept, and told, until a person decides.</summary>
/// <remarks>
/// A content may be on its way to its commit, so it has to be seen unreferenced for the whole of the grace. And a wrong or an older catalog
/// makes all or many contents look unreferenced at once: so never more than the larger of 100 and 1 % are deleted within a day, never more
/// than half, none of files that the catalog has never heard of, and nothing at all while collection is held.
/// </remarks>
public sealed partial class OrphanCollector(
    ReplicaTable replicas,
    FileCatalog catalog,
    ChunkStore store,
    FolderLedger ledger,
    NodeFile folder,
    NodeId node,
    IOptions<StoreOptions> options,
    WorkerRegistry workers,
    TimeProvider time,
    ILogger<OrphanCollector> logger
) : IDisposable
{
    private const int PageSize = 1000;
    private const int MostAtOnce = 100;

    /// <summary>More are not remembered one by one: so many wait for a person in any case.</summary>
    private const int MostRemembered = 100_000;

    private static readonly TimeSpan _longestPeriod = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _shortestPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _day = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private readonly Queue<long> _collected = new();
    private long? _lookedAt;

    /// <summary>Why contents are kept that no file refers to, and what to do; null where none wait for a person.</summary>
    public string? WaitsBecause { get; private set; }

    public void Dispose() => _oneAtATime.Dispose();

    /// <summary>Looks again and again while the node is joined and its folder agrees with the catalog.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var usual = options.Value.Store.OrphanGrace / 4;
        usual = usual == TimeSpan.Zero || usual > _longestPeriod ? _longestPeriod : usual;
        var worker = workers.Add("orphans", "deletes contents that no file refers to", usual);
        // What was not watched does not count.
        _lookedAt = null;
        while (true)
        {
            var began = time.GetTimestamp();
            try
            {
                await worker.RunAsync(() => CollectAsync(cancellationToken), cancellationToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.NotCollected(logger, node, e.Message);
            }

            // A large folder is looked through for a hundredth of the time at most.
            var pause = new[] { worker.Pace!.Value, _shortestPeriod, time.GetElapsedTime(began) * 100 }.Max();
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    /// <summary>One look: what is due is deleted, or waits for a person.</summary>
    internal async Task CollectAsync(CancellationToken cancellationToken)
    {
        using var turn = await _oneAtATime.EnterAsync(cancellationToken);
        var total = await LookAsync(cancellationToken);
        var orphans = await FindAsync(cancellationToken);
        if (orphans.Count == 0 && folder.Hold is { EndsByItself: true })
        {
            folder.EndHold();
            Log.HoldEnded(logger, node);
        }

        var due = orphans.Where(orphan => orphan is { IsDue: true, IsUnexplained: false }).ToList();
        var because = WhyNot(orphans, due.Count, total);
        if (because is not null && because != WaitsBecause)
        {
            Log.Waits(logger, node, because);
        }

        WaitsBecause = because;
        if (folder.Hold is null && MayCollect(due.Count, total))
        {
            await DeleteAsync(due, cancellationToken);
        }
    }

    /// <summary>All that no file refers to, as of the last look.</summary>
    public async Task<IReadOnlyList<Orphan>> FindAsync(CancellationToken cancellationToken)
    {
        var grace = options.Value.Store.OrphanGrace;
        var found = new List<Orphan>();
        foreach (var page in ledger.Unreferenced().Chunk(PageSize))
        {
            var files = page.ToDictionary(content => content.Fingerprint, content => ledger.FilesOf(content.Fingerprint));
            List<FileKey> keys = [.. files.Values.SelectMany(of => of).Select(file => file.Key)];
            var known = keys.Count == 0 ? new HashSet<FileKey>() : await catalog.KnownAsync(keys, cancellationToken);
            foreach (var content in page)
            {
                if (store.SizeOf(content.Fingerprint) is { } size)
                {
                    var of = files[content.Fingerprint];
                    found.Add(new Orphan(content, size, of, content.SeenFor >= grace, of.Any(file => !known.Contains(file.Key))));
                }
            }
        }

        return found;
    }

    /// <summary>Deletes all that no file refers to, as of the last look, and lets collection go on: a person has looked.</summary>
    /// <returns>What was deleted.</returns>
    public async Task<IReadOnlyList<Orphan>> DiscardAsync(CancellationToken cancellationToken)
    {
        using var turn = await _oneAtATime.EnterAsync(cancellationToken);
        var deleted = await DeleteAsync(await FindAsync(cancellationToken), cancellationToken);
        folder.EndHold();
        WaitsBecause = null;
        return deleted;
    }

    /// <returns>How many contents there are.</returns>
    private async Task<long> LookAsync(CancellationToken cancellationToken)
    {
        var total = 0L;
        var unreferenced = new HashSet<Fingerprint>();
        var looked = time.GetTimestamp();
        foreach (var page in store.Contents().Select(content => content.Fingerprint).Chunk(PageSize))
        {
            total += page.Length;
            var referred = await replicas.ReferredToAsync(node, page, cancellationToken);
            unreferenced.UnionWith(page.Where(content => !referred.Contains(content)).Take(MostRemembered - unreferenced.Count));
        }

        var sinceLast = _lookedAt is { } last ? time.GetElapsedTime(last, looked) : TimeSpan.Zero;
        await ledger.ObserveUnreferencedAsync(unreferenced, sinceLast, time.GetUtcNow());
        _lookedAt = looked;
        return total;
    }

    private string? WhyNot(IReadOnlyList<Orphan> orphans, int due, long total)
    {
        const string What =
            "look at them (filetransfer orphans list), then filetransfer reconcile or filetransfer orphans discard";
        var unexplained = orphans.Count(orphan => orphan.IsUnexplained);
        return orphans.Count == 0 ? null
            : folder.Hold is { } hold
                ? $"{orphans.Count} contents that no file refers to are kept since {hold.Since:u}, because {hold.Because}; {What}"
            : unexplained > 0 ? $"{unexplained} contents are of files that the catalog has never heard of; {What}"
            : MayCollect(due, total) ? null
            : $"{due} of {total} contents are referred to by no file, which is more than is deleted without being asked; {What}";
    }

    private bool MayCollect(int due, long total)
    {
        while (_collected.TryPeek(out var at) && time.GetElapsedTime(at) > _day)
        {
            _collected.Dequeue();
        }

        return due + _collected.Count <= Math.Max(MostAtOnce, total / 100) && due * 2L <= total;
    }

    private async Task<IReadOnlyList<Orphan>> DeleteAsync(IReadOnlyList<Orphan> orphans, CancellationToken cancellationToken)
    {
        var deleted = new List<Orphan>();
        foreach (var orphan in orphans)
        {
            var content = orphan.Content.Fingerprint;
            using var contentLock = await store.LockContentAsync(content, cancellationToken);
            if ((await replicas.ReferredToAsync(node, [content], cancellationToken)).Count > 0)
            {
                continue;
            }

            foreach (var file in orphan.Files)
            {
                ledger.Forget(file.Key, content, file.Size);
            }

            store.DeleteContent(content);
            _collected.Enqueue(time.GetTimestamp());
            deleted.Add(orphan);
            Log.Deleted(logger, content, node, orphan.Size, orphan.Content.FirstSeen);
        }

        return deleted;
    }

    private static partial class Log
    {
        [LoggerMessage(
            1220,
            LogLevel.Information,
            "Deleted content {Fingerprint} at {Node}: {Size} bytes that no file has referred to since {FirstSeen}"
        )]
        public static partial void Deleted(
            ILogger logger,
            Fingerprint fingerprint,
            NodeId node,
            long size,
            DateTimeOffset firstSeen
        );

        [LoggerMessage(1221, LogLevel.Warning, "Orphan collection is on hold at {Node}: {Reason}")]
        public static partial void Waits(ILogger logger, NodeId node, string reason);

        [LoggerMessage(
            1222,
            LogLevel.Information,
            "The catalog now accounts for all contents of {Node}; orphan collection resumed"
        )]
        public static partial void HoldEnded(ILogger logger, NodeId node);

        [LoggerMessage(1223, LogLevel.Warning, "Orphan collection failed on {Node}; retrying: {Reason}")]
        public static partial void NotCollected(ILogger logger, NodeId node, string reason);
    }
}
