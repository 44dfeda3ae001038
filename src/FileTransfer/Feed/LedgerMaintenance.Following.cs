using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Feed;

/// <content>The mutations of the feed, as the folder remembers them.</content>
public sealed partial class LedgerMaintenance
{
    /// <summary>Reads every bin from where the ledger is to its head. A history that is new to it is read from its begin.</summary>
    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        const string heads = "SELECT bin, head FROM filetransfer.bins ORDER BY bin";
        const string page = """
            SELECT m.sequence, m.kind, m.file_key, f.generation, f.sequence = m.sequence AS is_newest
            FROM filetransfer.mutations m JOIN filetransfer.files f USING (file_key)
            WHERE m.bin = @bin AND m.sequence > @from ORDER BY m.sequence LIMIT @limit
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        foreach (var (bin, head) in await connection.QueryAsync<(short Bin, long Head)>(heads, null, cancellationToken))
        {
            var from = From(bin);
            while (from < head)
            {
                var parameters = new
                {
                    bin,
                    from,
                    limit = PageSize,
                };
                var mutations = (await connection.QueryAsync<MutationRow>(page, parameters, cancellationToken)).AsList();
                if (mutations.Count == 0)
                {
                    break; // A gap, which the reader of the feed reports.
                }

                if (mutations[0].Sequence > from + 1)
                {
                    await CompareAsync(connection, bin, from, head, cancellationToken);
                    break;
                }

                from = mutations[^1].Sequence;
                // What a later mutation of the same file has overtaken says nothing any more.
                Follow(bin, from, mutations.Where(row => row.IsNewest));
            }
        }
    }

    /// <summary>What comes next is not kept any more: the newest mutation of each file stands with the file.</summary>
    private async Task CompareAsync(
        NpgsqlConnection connection,
        short bin,
        long from,
        long head,
        CancellationToken cancellationToken
    )
    {
        const string page = """
            SELECT sequence, CASE state WHEN 'added' THEN 'add' ELSE 'remove' END AS kind, file_key, generation, true AS is_newest
            FROM filetransfer.files
            WHERE file_key > @after AND file_key <= @last AND sequence > @from AND sequence <= @head AND state <> 'registered'
            ORDER BY file_key LIMIT @limit
            """;
        var keys = KeyPrefix.OfBin(bin);
        var after = keys.Before;
        while (true)
        {
            var parameters = new
            {
                keys.Last,
                after,
                from,
                head,
                limit = PageSize,
            };
            var files = (await connection.QueryAsync<MutationRow>(page, parameters, cancellationToken)).AsList();
            Follow(bin, files.Count == PageSize ? from : head, files);
            if (files.Count < PageSize)
            {
                return;
            }

            after = files[^1].FileKey.ToArray();
        }
    }

    private long From(int bin)
    {
        var epochs = history.Epochs;
        if (!_cursors!.TryGetValue(bin, out var cursor) || epochs.Count == 0)
        {
            return 0;
        }

        // Up to the begin of the history after the cursor's own the sequences are the same in both.
        var next = epochs.TakeWhile(epoch => epoch.Epoch != cursor.Epoch).Count() + 1;
        return next < epochs.Count ? Math.Min(cursor.Sequence, epochs[next].Heads[bin])
            : next == epochs.Count ? cursor.Sequence
            : 0;
    }

    private void Follow(int bin, long upTo, IEnumerable<MutationRow> mutations)
    {
        if (history.PositionOf(bin, upTo) is not { } position)
        {
            return;
        }

        folder.Follow(
            bin,
            position,
            [
                .. mutations.Select(row => new LedgerMutation(
                    row.FileKey,
                    history.PositionOf(bin, row.Sequence)!.Value,
                    row.Kind == MutationKind.Remove,
                    row.Generation
                )),
            ],
            time.GetUtcNow()
        );
        _cursors![bin] = position;
    }

    private sealed record MutationRow(long Sequence, MutationKind Kind, FileKey FileKey, int Generation, bool IsNewest);
}
