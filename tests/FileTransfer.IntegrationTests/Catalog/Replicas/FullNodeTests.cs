using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Ledger;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Catalog.Replicas;

/// <summary>What a file costs a node that has just filled up, in rows read: the server's statistics are of before, or there are none.</summary>
public sealed class FullNodeTests : IAsyncLifetime
{
    private const int Files = 5_000;

    private QueueDatabase _db = null!;

    public async ValueTask InitializeAsync() => _db = await QueueDatabase.CreateAsync();

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Publishing_a_file_reads_none_of_the_others(bool hasStatistics) =>
        (
            await RowsReadAsync(
                hasStatistics,
                async () =>
                {
                    await using var session = await _db.Database.OpenSessionAsync("b/lane", default);
                    (await _db.PublishAsync(session, await _db.ClaimAsync(session))).ShouldBeTrue();
                }
            )
        ).ShouldBeLessThan(100);

    [Thorough]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Noting_a_file_in_the_ledger_reads_none_of_the_others(bool hasStatistics) =>
        (
            await RowsReadAsync(
                hasStatistics,
                async () =>
                {
                    var wanted = await _db.WantAsync();
                    var catalog = new FileCatalog(_db.Database, new FeedHistory(), TimeProvider.System);
                    (await catalog.ForLedgerAsync(_db.Node, [wanted.Key], default)).ShouldHaveSingleItem();
                }
            )
        ).ShouldBeLessThan(100);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_claim_of_what_nobody_has_reads_none_of_the_others(bool hasStatistics) =>
        (
            await RowsReadAsync(
                hasStatistics,
                async () =>
                {
                    await using var session = await _db.Database.OpenSessionAsync("b/lane", default);
                    await _db.ClaimAsync(session);
                    await _db.WantAsync(storedAt: null);
                    (await _db.Queue.ClaimAsync(session, ClaimLimit.One, default)).ShouldBeOfType<ClaimOutcome.Deferred>();
                }
            )
        ).ShouldBeLessThan(100);

    [Thorough]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Maintenance_of_the_queue_reads_none_of_what_does_not_wait(bool hasStatistics) =>
        (
            await RowsReadAsync(
                hasStatistics,
                async () =>
                {
                    await using var session = await _db.Database.OpenSessionAsync("b/lane", default);
                    var claim = await _db.ClaimAsync(session);
                    await _db.Queue.DeferAsync(
                        session,
                        claim,
                        WaitCondition.Source,
                        "no source answers",
                        null,
                        TimeSpan.Zero,
                        default
                    );
                    await Backlog.AddAsync(_db.Test, "b", Files);
                    (await _db.UpkeepAsync()).ShouldBe(1);
                }
            )
        ).ShouldBeLessThan(100);

    /// <summary>Rows of replicas, and entries of their indexes, that the sessions of the product read meanwhile.</summary>
    private async Task<long> RowsReadAsync(bool hasStatistics, Func<Task> work)
    {
        await _db.Test.ExecuteAsync("ALTER TABLE filetransfer.replicas SET (autovacuum_enabled = false)");
        if (hasStatistics)
        {
            await Backlog.AddAsync(_db.Test, "a", Files, "stored");
            await _db.Test.ExecuteAsync("ANALYZE filetransfer.files, filetransfer.replicas");
        }

        await Backlog.AddAsync(_db.Test, "b", Files, "stored");
        await _db.WantAsync();
        return await _db.RowsReadAsync(work, "replicas");
    }
}
