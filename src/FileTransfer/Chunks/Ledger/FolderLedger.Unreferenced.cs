namespace FileTransfer.Chunks.Ledger;

public sealed partial class FolderLedger
{
    /// <summary>All that were found unreferenced at the last look, the first found first.</summary>
    public IReadOnlyList<UnreferencedContent> Unreferenced() =>
        _database.Read(engine =>
            engine.Query(
                "SELECT fingerprint, first_seen, seen_for FROM unreferenced ORDER BY first_seen, fingerprint",
                row => new UnreferencedContent(
                    new Fingerprint(row.GetFieldValue<byte[]>(0)),
                    DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
                    TimeSpan.FromMilliseconds(row.GetInt64(2))
                )
            )
        );

    /// <summary>Remembers what a look found, in place of what the one before did.</summary>
    /// <param name="sinceLast">How long ago the look before was; nothing where this process has not looked yet.</param>
    public Task ObserveUnreferencedAsync(IReadOnlySet<Fingerprint> found, TimeSpan sinceLast, DateTimeOffset now)
    {
        var known = Unreferenced().Select(content => content.Fingerprint).ToHashSet();
        return known.Count == 0 && found.Count == 0
            ? Task.CompletedTask
            : _database.WriteAsync(engine =>
            {
                foreach (var gone in known.Where(content => !found.Contains(content)))
                {
                    engine.Execute("DELETE FROM unreferenced WHERE fingerprint = $1", gone);
                }

                engine.Execute("UPDATE unreferenced SET seen_for = seen_for + $1", (long)sinceLast.TotalMilliseconds);
                foreach (var fresh in found.Where(content => !known.Contains(content)))
                {
                    engine.Execute(
                        "INSERT OR REPLACE INTO unreferenced (fingerprint, first_seen, seen_for) VALUES ($1, $2, 0)",
                        fresh,
                        now
                    );
                }
            });
    }

    public IReadOnlyList<LedgerFile> FilesOf(Fingerprint fingerprint)
    {
        var known = _database.Read(engine => LedgerReading.FilesOf(engine, fingerprint));
        return known.Count > 0 ? known : _contentFiles.Read(fingerprint);
    }
}
