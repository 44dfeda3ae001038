using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FileTransfer.IntegrationTests.Postgres;

public sealed class CatalogIdentityTests
{
    [Fact]
    public async Task An_empty_database_is_told_from_one_with_a_schema_and_from_one_with_a_cluster()
    {
        await using var database = await PostgresCluster.CreateDatabaseAsync();
        var empty = await CatalogIdentity.ReadAsync(database.Pool, CancellationToken.None);
        await new SchemaMigrator(database.Pool, NullLogger<SchemaMigrator>.Instance).MigrateAsync(CancellationToken.None);
        var migrated = await CatalogIdentity.ReadAsync(database.Pool, CancellationToken.None);
        await database.ExecuteAsync("INSERT INTO filetransfer.cluster (cluster_id) VALUES ('c')");
        await database.ExecuteAsync("UPDATE filetransfer.bins SET head = bin + 1");
        var joined = await CatalogIdentity.ReadAsync(database.Pool, CancellationToken.None);

        (empty.HasCatalog, empty.SchemaVersion, empty.LeaderEpoch, empty.BinHeads).ShouldBe((false, null, null, null));
        empty.SystemIdentifier.ShouldBe(
            await database.ScalarAsync<string>("SELECT system_identifier::text FROM pg_control_system()")
        );
        empty.Timeline.ShouldBe(1);
        migrated.HasCatalog.ShouldBeFalse();
        migrated.SchemaVersion.ShouldBe(Migration.Embedded.Count);
        migrated.LeaderEpoch.ShouldBe(0);
        joined.HasCatalog.ShouldBeTrue();
        joined.ClusterId.ShouldBe("c");
        joined.FeedEpoch.ShouldBe(await database.ScalarAsync<Guid>("SELECT feed_epoch FROM filetransfer.cluster"));
        joined.BinHeads.ShouldBe(Enumerable.Range(1, 16).Select(head => (long)head));
        joined.Database.ShouldBe(new NpgsqlConnectionStringBuilder(database.ConnectionString).Database);
        joined.Flushed.ShouldBeGreaterThan(empty.Flushed);
    }

    [Fact]
    public async Task An_ordinary_role_may_read_it()
    {
        await using var database = await PostgresCluster.CreateDatabaseAsync();
        var role = $"plain_{Guid.NewGuid():N}";
        await using var connection = await database.Pool.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"CREATE ROLE {role}; SET ROLE {role}", connection);
        await command.ExecuteNonQueryAsync();
        try
        {
            (await CatalogIdentity.ReadAsync(connection, CancellationToken.None)).Timeline.ShouldBe(1);
        }
        finally
        {
            await using var drop = new NpgsqlCommand($"RESET ROLE; DROP ROLE {role}", connection);
            await drop.ExecuteNonQueryAsync();
        }
    }

    [Thorough]
    [Fact]
    public async Task A_recovered_server_is_the_same_system_on_a_higher_timeline()
    {
        await using var server = await PrivatePostgres.StartAsync();
        var before = await ReadAsync(server);
        await server.StartOnNewTimelineAsync();
        var after = await ReadAsync(server);

        after.SystemIdentifier.ShouldBe(before.SystemIdentifier);
        after.Timeline.ShouldBe(before.Timeline + 1);
    }

    private static async Task<CatalogIdentity> ReadAsync(PrivatePostgres server)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString + ";Pooling=false");
        return await CatalogIdentity.ReadAsync(source, CancellationToken.None);
    }
}
