using FileTransfer.Catalog;
using FileTransfer.Chunks.Ledger;
using FileTransfer.IntegrationTests.Nodes;

namespace FileTransfer.IntegrationTests.Catalog;

/// <summary>What a file costs a node that has many, in rows read. The server's statistics still say that it has none.</summary>
public sealed class FullNodeFacts : IAsyncLifetime
{
    private const int Files = 5_000;

    private QueueDatabase _db = null!;

    public async Task InitializeAsync()
    {
        _db = await QueueDatabase.CreateAsync();
        await _db.Test.ExecuteAsync("ALTER TABLE filetransfer.replicas SET (autovacuum_enabled = false)");
        await Backlog.AddAsync(_db.Test, "b", Files, "stored");
    }

    public async Task DisposeAsync() => await _db.DisposeAsync();

    [Fact]
    public async Task Publishing_a_file_reads_none_of_the_others() =>
        (
            await RowsReadAsync(async () =>
            {
                await using var session = await _db.Database.OpenSessionAsync("b/lane", default);
                (await _db.PublishAsync(session, await _db.ClaimAsync(session))).ShouldBeTrue();
            })
        ).ShouldBeLessThan(100);

    [Fact]
    public async Task Noting_a_file_in_the_ledger_reads_none_of_the_others() =>
        (
            await RowsReadAsync(async () =>
            {
                var wanted = await _db.WantAsync();
                var catalog = new FileCatalog(_db.Database, new FeedHistory(), TimeProvider.System);
                (await catalog.ForLedgerAsync(_db.Node, [wanted.Key], default)).ShouldHaveSingleItem();
            })
        ).ShouldBeLessThan(100);

    /// <summary>Rows of replicas, and entries of their indexes, that the sessions of the product read meanwhile.</summary>
    private async Task<long> RowsReadAsync(Func<Task> work)
    {
        await _db.WantAsync();
        var before = await ReadAsync();
        await work();

        // A session tells what it read when it ends.
        _db.Database.Pool.Clear();
        await Eventually.HoldsAsync(async () => await ReadAsync() > before, "the sessions have told what they read");
        return await ReadAsync() - before;
    }

    private Task<long> ReadAsync() =>
        _db.Test.ScalarAsync<long>(
            """
            SELECT (seq_tup_read + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relid = t.relid))::bigint
            FROM pg_stat_user_tables t WHERE relid = 'filetransfer.replicas'::regclass
            """
        );
}
