using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FileTransfer.IntegrationTests.Postgres;

public sealed class SchemaMigratorTests : IAsyncLifetime
{
    private static readonly Migration First = new(
        1,
        "shelf",
        "CREATE TABLE filetransfer.shelf (id integer PRIMARY KEY); INSERT INTO filetransfer.shelf VALUES (1)"
    );
    private static readonly Migration Second = new(
        2,
        "label",
        "ALTER TABLE filetransfer.shelf ADD COLUMN label text; UPDATE filetransfer.shelf SET label = 'a;b'"
    );

    private TestDatabase _db = null!;

    public async ValueTask InitializeAsync() => _db = await PostgresCluster.CreateDatabaseAsync();

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Fact]
    public async Task Steps_are_applied_in_order_and_once()
    {
        await MigrateAsync(First);
        await MigrateAsync(First, Second);
        await MigrateAsync(First, Second);

        (
            await _db.ScalarAsync<string>(
                "SELECT string_agg(version || name, ',' ORDER BY version) FROM filetransfer.schema_versions"
            )
        ).ShouldBe("1shelf,2label");
        (await _db.ScalarAsync<string>("SELECT label FROM filetransfer.shelf")).ShouldBe("a;b");
    }

    [Fact]
    public async Task Many_starters_at_once_apply_each_step_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => MigrateAsync(First, Second))));
        (await _db.ScalarAsync<long>("SELECT count(*) FROM filetransfer.schema_versions")).ShouldBe(2);
        (await _db.ScalarAsync<long>("SELECT count(*) FROM filetransfer.shelf")).ShouldBe(1);
    }

    [Fact]
    public async Task An_applied_step_whose_text_changed_is_refused_and_nothing_is_done()
    {
        await MigrateAsync(First);
        var refusal = await Should.ThrowAsync<FatalStartException>(MigrateAsync(First with { Sql = "SELECT 1" }, Second));
        refusal.Message.ShouldContain("checksum");
        (await _db.ScalarAsync<long>("SELECT count(*) FROM filetransfer.schema_versions")).ShouldBe(1);
    }

    [Fact]
    public void Line_ends_do_not_change_a_checksum()
    {
        new Migration(1, "a", "SELECT 1;\r\nSELECT 2\r\n").Checksum.ShouldBe(
            new Migration(1, "a", "SELECT 1;\nSELECT 2\n").Checksum
        );
    }

    [Fact]
    public async Task A_newer_schema_is_refused()
    {
        await MigrateAsync(First, Second);
        var refusal = await Should.ThrowAsync<FatalStartException>(MigrateAsync(First));
        refusal.Message.ShouldContain("schema version 2");
        refusal.Message.ShouldContain("newer program");
    }

    [Fact]
    public async Task A_newer_schema_that_only_expands_is_accepted_until_a_step_does_not()
    {
        var expanding = Second with { Name = "label.expand" };
        var other = new Migration(3, "jar", "ALTER TABLE filetransfer.shelf DROP COLUMN label");
        await MigrateAsync(First, expanding);
        await MigrateAsync(First);
        (await _db.ScalarAsync<string>("SELECT label FROM filetransfer.shelf")).ShouldBe("a;b");

        await MigrateAsync(First, expanding, other);
        (await Should.ThrowAsync<FatalStartException>(MigrateAsync(First))).Message.ShouldContain("schema version 3");
    }

    [Fact]
    public async Task A_node_ends_with_78_over_a_schema_that_it_cannot_work_with_and_changes_nothing_there()
    {
        var program = new SchemaMigrator(_db.Pool, NullLogger<SchemaMigrator>.Instance);
        await program.MigrateAsync(default);
        var (_, known) = await program.LookAsync(default);
        await _db.ScalarAsync<int>(
            $"INSERT INTO filetransfer.schema_versions (version, name, checksum) VALUES ({known + 1}, 'later', '') RETURNING version"
        );
        using var folder = new TempFolder();
        await using var node = NodeProcess.Launch("a", folder.At("data"), _db.ConnectionString);
        await node.WaitForExitAsync();
        node.ExitCode.ShouldBe(78, node.Log);
        node.Log.ShouldContain($"The database has schema version {known + 1} (later); this program knows only {known}.");
        node.Log.ShouldContain("Start the newer program that made it");
        (await _db.ScalarAsync<long>("SELECT count(*) FROM filetransfer.nodes")).ShouldBe(0);
    }

    [Fact]
    public async Task A_step_that_fails_leaves_nothing_behind_and_is_applied_when_it_can_be()
    {
        var broken = Second with { Sql = "CREATE TABLE filetransfer.half (id integer); SELECT 1/0" };
        (await Should.ThrowAsync<PostgresException>(MigrateAsync(First, broken))).SqlState.ShouldBe(
            PostgresErrorCodes.DivisionByZero
        );
        (await _db.ScalarAsync<bool>("SELECT to_regclass('filetransfer.half') IS NULL")).ShouldBeTrue();
        await MigrateAsync(First, Second);
        (await _db.ScalarAsync<long>("SELECT count(*) FROM filetransfer.schema_versions")).ShouldBe(2);
    }

    [Fact]
    public void Steps_must_be_numbered_without_gaps()
    {
        Should.Throw<ArgumentException>(() => new SchemaMigrator(_db.Pool, NullLogger.Instance, [Second]));
    }

    [Fact]
    public async Task The_steps_this_program_carries_can_be_applied_to_an_empty_database()
    {
        await new SchemaMigrator(_db.Pool, NullLogger<SchemaMigrator>.Instance).MigrateAsync(default);
        await new SchemaMigrator(_db.Pool, NullLogger<SchemaMigrator>.Instance).MigrateAsync(default);
    }

    private Task MigrateAsync(params Migration[] migrations) =>
        new SchemaMigrator(_db.Pool, NullLogger.Instance, migrations).MigrateAsync(default);
}
