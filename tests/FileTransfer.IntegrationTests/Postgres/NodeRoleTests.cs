using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.Postgres.Embedded;
using Npgsql;

namespace FileTransfer.IntegrationTests.Postgres;

/// <summary>A role that <c>filetransfer database create-role</c> made does all that a node needs, and little else.</summary>
public sealed class NodeRoleTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("filetransfer-roles-");
    private TestCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await TestCluster.CreateWithoutTablesAsync();

    public async ValueTask DisposeAsync()
    {
        var name = _cluster.Database.Name;
        var server = new NpgsqlConnectionStringBuilder(_cluster.Database.ConnectionString)
        {
            Database = "postgres",
        }.ConnectionString;
        await _cluster.DisposeAsync();
        await RunAsync(
            server,
            $"DO $$ DECLARE r text; BEGIN FOR r IN SELECT rolname FROM pg_roles WHERE rolname LIKE '{name}~_%' ESCAPE '~' ORDER BY rolname LIKE '%admin' LOOP EXECUTE format('DROP ROLE %I', r); END LOOP; END $$"
        );
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Nodes_with_roles_of_their_own_migrate_join_upload_follow_and_take_over()
    {
        var content = new byte[5_000_000];
        new Random(1).NextBytes(content);
        _cluster.ConnectionString = await MadeAsync("a");
        var leader = await _cluster.StartLeaderAsync("a");
        _cluster.ConnectionString = await MadeAsync("b");
        var follower = await _cluster.StartAsync("b");

        var key = await leader.PutAsync(content, "file");
        await TestCluster.StoredAsync(follower, key);
        await leader.KillAsync();
        await Eventually.HoldsAsync(
            async () => (await follower.GetJsonAsync("/v1/leader")).GetProperty("node").GetString() == "b",
            "b leads"
        );
        (await follower.Http.DeleteAsync($"/v1/files/{key}")).IsSuccessStatusCode.ShouldBeTrue();

        (await OwnersAsync()).ShouldBe([$"{_cluster.Database.Name}_nodes"]);
        (
            await _cluster.Database.ScalarAsync<string>(
                "SELECT string_agg(DISTINCT usename, ' ') FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'b/%'"
            )
        ).ShouldBe($"{_cluster.Database.Name}_b");
    }

    [Thorough]
    [Fact]
    public async Task A_catalog_that_a_superuser_made_becomes_the_nodes()
    {
        var first = await _cluster.StartLeaderAsync("a");
        await first.PutAsync([1, 2, 3], "file");
        await first.StopAsync();
        (await OwnersAsync()).ShouldNotContain($"{_cluster.Database.Name}_nodes");

        _cluster.ConnectionString = await MadeAsync("a");
        var again = await _cluster.StartLeaderAsync("a");

        await again.PutAsync([4, 5, 6], "another");
        (await OwnersAsync()).ShouldBe([$"{_cluster.Database.Name}_nodes"]);
    }

    [Theory]
    [InlineData("COPY (SELECT 1) TO PROGRAM 'cat'")]
    [InlineData("COPY (SELECT 1) TO '/tmp/filetransfer-roles'")]
    [InlineData("SELECT pg_read_file('/etc/passwd')")]
    [InlineData("CREATE ROLE another")]
    [InlineData("CREATE DATABASE another")]
    [InlineData("CREATE SCHEMA another")]
    [InlineData("CREATE EXTENSION pg_stat_statements")]
    [InlineData("ALTER SYSTEM SET fsync = off")]
    [InlineData("RESET ROLE; COPY (SELECT 1) TO PROGRAM 'cat'")]
    [InlineData("SET ROLE NONE; CREATE SCHEMA another")]
    [InlineData("SET ROLE NONE; ALTER ROLE CURRENT_USER CONNECTION LIMIT 1000")]
    [InlineData("ALTER ROLE CURRENT_USER SUPERUSER")]
    [InlineData("SELECT rolpassword FROM pg_authid")]
    [InlineData("SELECT lo_import('/etc/passwd')")]
    [InlineData("SELECT pg_reload_conf()")]
    [InlineData("SELECT pg_create_logical_replication_slot('another', 'test_decoding')")]
    [InlineData("CREATE FUNCTION filetransfer.another() RETURNS int LANGUAGE c AS '/a', 'b'")]
    public async Task What_a_node_does_not_need_its_role_may_not_do(string statement)
    {
        var made = await MadeAsync("a");

        (await Should.ThrowAsync<PostgresException>(() => RunAsync(made, statement))).SqlState.ShouldBe(
            PostgresErrorCodes.InsufficientPrivilege
        );
    }

    [Fact]
    public async Task A_role_does_not_end_the_sessions_of_another_node()
    {
        var (one, other) = (await MadeAsync("a"), await MadeAsync("b"));
        await using var session = await NpgsqlDataSource.Create(other).OpenConnectionAsync();

        (
            await Should.ThrowAsync<PostgresException>(() => RunAsync(one, $"SELECT pg_terminate_backend({session.ProcessID})"))
        ).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }

    [Fact]
    public async Task Made_again_it_has_another_password_and_nobody_elses_role_is_taken()
    {
        var kept = $"SELECT rolpassword FROM pg_authid WHERE rolname = '{_cluster.Database.Name}_a'";
        var first = new NpgsqlConnectionStringBuilder(await MadeAsync("a")).Password;
        var before = await _cluster.Database.ScalarAsync<string>(kept);
        before.ShouldStartWith("SCRAM-SHA-256$");

        new NpgsqlConnectionStringBuilder(await MadeAsync("a")).Password.ShouldNotBe(first);
        (await _cluster.Database.ScalarAsync<string>(kept)).ShouldNotBe(before);
        var (code, words) = await CreateRoleAsync(EmbeddedLayout.Owner, "another");
        code.ShouldBe(6);
        words.ShouldContain("choose another name");
    }

    [Thorough]
    [Fact]
    public async Task An_owner_of_the_database_that_may_make_roles_is_enough()
    {
        var name = _cluster.Database.Name;
        await _cluster.Database.ExecuteAsync(
            $"CREATE ROLE {name}_admin LOGIN CREATEROLE PASSWORD 'known'; ALTER DATABASE {name} OWNER TO {name}_admin"
        );
        var admin = new NpgsqlConnectionStringBuilder(_cluster.Database.ConnectionString)
        {
            Username = $"{name}_admin",
            Password = "known",
        }.ConnectionString;

        _cluster.ConnectionString = await MadeAsync("a", admin);
        await _cluster.StartLeaderAsync("a");

        (await OwnersAsync()).ShouldBe([$"{name}_nodes"]);
    }

    private async Task<List<string>> OwnersAsync()
    {
        await using var command = _cluster.Database.Pool.CreateCommand(
            """
            SELECT DISTINCT r.rolname FROM pg_roles r WHERE r.oid IN (
                SELECT relowner FROM pg_class WHERE relnamespace = 'filetransfer'::regnamespace
                UNION SELECT proowner FROM pg_proc WHERE pronamespace = 'filetransfer'::regnamespace
                UNION SELECT nspowner FROM pg_namespace WHERE nspname = 'filetransfer')
            """
        );
        await using var reader = await command.ExecuteReaderAsync();
        var owners = new List<string>();
        while (await reader.ReadAsync())
        {
            owners.Add(reader.GetString(0));
        }

        return owners;
    }

    /// <summary>Made by the program; its connection string from the file that the program wrote.</summary>
    private async Task<string> MadeAsync(string node, string? admin = null)
    {
        var (code, words) = await CreateRoleAsync($"{_cluster.Database.Name}_{node}", node, admin);
        code.ShouldBe(0, words);
        var file = Path.Combine(_folder.FullName, node);
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var made = await File.ReadAllTextAsync(file);
        words.ShouldNotContain(new NpgsqlConnectionStringBuilder(made).Password!);
        return new NpgsqlConnectionStringBuilder(made) { Pooling = false }.ConnectionString;
    }

    private async Task<(int Code, string Words)> CreateRoleAsync(string role, string file, string? admin = null)
    {
        var secret = Path.Combine(_folder.FullName, "admin");
        await File.WriteAllTextAsync(secret, admin ?? _cluster.Database.ConnectionString);
        string[] arguments =
        [
            TestedProgram.Path,
            "database",
            "create-role",
            role,
            "--database-file",
            secret,
            "--output",
            Path.Combine(_folder.FullName, file),
        ];
        var answer = await ChildProcess.RunAsync(["dotnet", .. arguments], default);
        return (answer.ExitCode, answer.Output);
    }

    private static async Task RunAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
