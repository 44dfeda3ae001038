using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Small;

namespace FileTransfer.Chunks.Ledger;

/// <summary>What a data folder remembers of its files, so that a lost or older catalog can be brought back from the folders.</summary>
/// <remarks>
/// A file is in here before its replica is called stored, by the engine's commit, which brings a small content along; a larger one is also
/// in the <c>.files</c> beside its content. So whatever the catalog says is stored can be named again without it. A row too many says
/// nothing: only a content that is here and proven counts.
/// </remarks>
public sealed partial class FolderLedger
{
    public static readonly TimeSpan RemovalsKept = TimeSpan.FromDays(365);

    private const string PutSql = """
        INSERT INTO files (file_key, owner, bucket, location, size, fingerprint, generation, pinned, epoch, sequence, stored_at, hidden)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (file_key) DO UPDATE
            SET pinned = excluded.pinned OR (pinned AND generation = excluded.generation),
                generation = excluded.generation, stored_at = excluded.stored_at, hidden = excluded.hidden,
                epoch = coalesce(excluded.epoch, CASE WHEN generation = excluded.generation THEN epoch END),
                sequence = coalesce(excluded.sequence, CASE WHEN generation = excluded.generation THEN sequence END)
        """;

    /// <summary>A removal that is known is earlier than a mutation at ($2, $3): an older catalog, read anew, takes no later one away.</summary>
    private const string IsEarlier = """
        (removals.epoch = $2 AND removals.sequence < $3
            OR removals.epoch <> $2
                AND (SELECT e.began_at FROM epochs e WHERE e.epoch = removals.epoch)
                    < (SELECT e.began_at FROM epochs e WHERE e.epoch = $2))
        """;

    private readonly ChunkStore _store;
    private readonly SmallDatabase _database;
    private readonly ContentFiles _contentFiles;

    /// <summary>Files that are forgotten but not written yet.</summary>
    private readonly ConcurrentDictionary<FileKey, bool> _leaving = new();

    /// <summary>The ledger of the folder that <paramref name="store"/> has locked.</summary>
    public FolderLedger(ChunkStore store)
    {
        _store = store;
        _contentFiles = new ContentFiles(store.Paths);
        _database = store.Small;
    }

    /// <summary>Whether it does not hold all yet: its engine is new, or its former one was damaged.</summary>
    public bool IsIncomplete => _database.IsNew;

    public string? SetAsideBecause => _database.SetAsideBecause;

    /// <summary>
    /// Remembers files, and publishes the small contents among theirs: all of it in one commit. Call under the contents' locks before larger
    /// ones are published, and await it before the replicas are called stored. Readers get the files from <see cref="ChunkStore.MakeVisible"/> on.
    /// </summary>
    /// <exception cref="DiskFullException">There is no room for it.</exception>
    public async Task RecordAsync(IReadOnlyList<LedgerFile> files, IReadOnlyCollection<ProvenBytes> contents)
    {
        foreach (var file in files)
        {
            _leaving.TryRemove(file.Key, out _);
            _store.AwaitCommit(file.Key);
            if (!ChunkStore.IsSmall(file.Size))
            {
                _contentFiles.Put(file);
            }
        }

        var lacking = _store.Lacking(contents);
        if (files.Count > 0 || lacking.Count > 0)
        {
            await _database.WriteAsync(engine =>
            {
                lacking.ForEach(content => SmallContents.Put(engine, content.Fingerprint, content.Bytes));
                Put(engine, files, hidden: false);
            });
        }
    }

    /// <summary>Fills in files of before, where nothing is known of them; also beside their contents. Call under the locks of these.</summary>
    /// <param name="isStored">Whether the catalog calls them stored: else readers do not get them yet.</param>
    public Task FillAsync(IReadOnlyList<LedgerFile> files, bool isStored)
    {
        var unknown = files.Where(file => Find(file.Key) is null).ToList();
        foreach (var file in files.Where(file => !ChunkStore.IsSmall(file.Size)))
        {
            if (_contentFiles.Read(file.Fingerprint).All(known => known.Key != file.Key))
            {
                _contentFiles.Put(file);
            }
        }

        return unknown.Count == 0 ? Task.CompletedTask : _database.WriteAsync(engine => Put(engine, unknown, hidden: !isStored));
    }

    /// <summary>Forgets a file that is not stored here any more. Call under the lock of its content.</summary>
    public void Forget(FileKey key, Fingerprint fingerprint, long size)
    {
        if (!ChunkStore.IsSmall(size))
        {
            _contentFiles.Remove(key, fingerprint);
        }

        _leaving[key] = true;
        _ = _database.WriteSoon(engine =>
        {
            engine.Execute("DELETE FROM files WHERE file_key = $1", key);
            _leaving.TryRemove(key, out _);
            _store.Forgotten(key);
        });
    }

    /// <summary>Follows the feed of a bin: the positions of Adds, the removals, and how far it has been read.</summary>
    /// <remarks>
    /// A mutation counts for the registration that it is of, and those before: the ledger may be behind, and already know the content of
    /// the next one.
    /// </remarks>
    public void Follow(int bin, FeedPosition upTo, IReadOnlyList<LedgerMutation> page, DateTimeOffset now) =>
        _ = _database.WriteSoon(engine =>
        {
            foreach (var (key, at, isRemoval, generation) in page)
            {
                if (isRemoval)
                {
                    // The file itself is forgotten by whoever deletes its bytes: it may have been uploaded again by now.
                    PutRemoval(engine, new LedgerRemoval(key, at, now));
                }
                else
                {
                    engine.Execute(
                        "UPDATE files SET epoch = $2, sequence = $3, generation = $4 WHERE file_key = $1 AND generation <= $4",
                        key,
                        at.Epoch,
                        at.Sequence,
                        generation
                    );
                    engine.Execute($"DELETE FROM removals WHERE file_key = $1 AND {IsEarlier}", key, at.Epoch, at.Sequence);
                }
            }

            engine.Execute(
                "INSERT OR REPLACE INTO cursors (bin, epoch, sequence) VALUES ($1, $2, $3)",
                bin,
                upTo.Epoch,
                upTo.Sequence
            );
        });

    /// <summary>Waits until all that was said before is durable.</summary>
    public Task FlushAsync() => _database.WriteAsync(_ => { });

    public void ForgetOldRemovals(DateTimeOffset now) =>
        _ = _database.WriteSoon(engine => engine.Execute("DELETE FROM removals WHERE applied_at < $1", (now - RemovalsKept)));

    public Task SetPoliciesAsync(IReadOnlyList<LedgerPolicy> policies) =>
        _database.WriteAsync(engine =>
        {
            engine.Execute("DELETE FROM policies");
            foreach (var policy in policies)
            {
                engine.Execute(
                    "INSERT INTO policies (bucket, kind, prefixes, exacts) VALUES ($1, $2, $3, $4)",
                    policy.Bucket,
                    policy.Kind,
                    Join(policy.Prefixes),
                    Join(policy.Exacts)
                );
            }
        });

    public Task SetEpochsAsync(IReadOnlyList<LedgerEpoch> epochs) =>
        _database.WriteAsync(engine =>
        {
            foreach (var epoch in epochs)
            {
                engine.Execute(
                    "INSERT OR REPLACE INTO epochs (epoch, began_at, heads) VALUES ($1, $2, $3)",
                    epoch.Epoch,
                    epoch.BeganAt,
                    string.Join(',', epoch.Heads)
                );
            }
        });

    /// <summary>It holds all there is to know, until its engine is lost again.</summary>
    public async Task DeclareFullAsync()
    {
        await _database.WriteAsync(engine => engine.Execute("INSERT OR REPLACE INTO state (name, value) VALUES ('full', '1')"));
        _database.DeclareFull();
    }

    private static void Put(SmallConnection engine, IReadOnlyList<LedgerFile> files, bool hidden)
    {
        foreach (var file in files)
        {
            engine.Execute(
                PutSql,
                file.Key,
                file.Metadata.Owner,
                file.Metadata.Bucket,
                file.Metadata.Location,
                file.Size,
                file.Fingerprint,
                file.Generation,
                file.IsPinned,
                file.Added?.Epoch,
                file.Added?.Sequence,
                file.StoredAt,
                hidden
            );
        }
    }

    private static void PutRemoval(SmallConnection engine, LedgerRemoval removal)
    {
        engine.Execute(
            $"""
            INSERT INTO removals (file_key, epoch, sequence, applied_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (file_key) DO UPDATE
                SET epoch = excluded.epoch, sequence = excluded.sequence, applied_at = excluded.applied_at WHERE {IsEarlier}
            """,
            removal.Key,
            removal.At.Epoch,
            removal.At.Sequence,
            removal.AppliedAt
        );
    }

    private static string Join(IReadOnlyList<ByteString> values) => string.Join(',', values);
}
