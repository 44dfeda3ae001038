using FileTransfer.Catalog.Replicas;
using FileTransfer.Identity;
using FileTransfer.Postgres;
using FileTransfer.Postgres.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FileTransfer.Benchmarks.Catalog;

/// <summary>A real PostgreSQL with a queue of so many rows that node b wants and node a has stored.</summary>
internal sealed class QueueOfRows : IAsyncDisposable
{
    private readonly string _folder;
    private readonly EmbeddedPostgres _server;
    private readonly Database _database;

    private QueueOfRows(string folder, EmbeddedPostgres server, Database database, LockConnection session)
    {
        _folder = folder;
        _server = server;
        _database = database;
        Session = session;
    }

    public ReplicaQueue Queue { get; } = new(new NodeId("b"));

    /// <summary>A lane's.</summary>
    public LockConnection Session { get; }

    /// <param name="rows">How many replicas are wanted.</param>
    /// <param name="waitsForDisk">Whether a commit is on disk when it is answered. Without, what is left is the statements' own cost.</param>
    public static async Task<QueueOfRows> CreateAsync(int rows, bool waitsForDisk)
    {
        var folder = Directory.CreateTempSubdirectory("filetransfer-benchmark-").FullName;
        var server = await EmbeddedPostgres.StartAsync(
            Path.Combine(folder, "postgres"),
            null,
            NullLogger.Instance,
            CancellationToken.None
        );
        var connection = new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Options = waitsForDisk ? null : "-c synchronous_commit=off",
        };
        var database = new Database(
            new DatabaseSource(connection.ConnectionString, null),
            NullLoggerFactory.Instance,
            TimeProvider.System
        );
        await new SchemaMigrator(database.Pool, NullLogger<SchemaMigrator>.Instance).MigrateAsync(CancellationToken.None);
        var session = await database.OpenSessionAsync("b/benchmark", CancellationToken.None);
        var queue = new QueueOfRows(folder, server, database, session);
        await queue.FillAsync(rows);
        return queue;
    }

    /// <summary>Wants again what was stored since, behind everything else.</summary>
    public Task WantAgainAsync() =>
        ExecuteAsync(
            """
            UPDATE filetransfer.replicas
            SET state = 'wanted', holder = NULL, holder_pid = NULL, wanted_at = clock_timestamp()
            WHERE node_id = 'b' AND state <> 'wanted'
            """
        );

    /// <summary>Lets go of what a session holds besides the row that was claimed last.</summary>
    public Task UnlockAllAsync() => Session.UnlockAllAsync();

    public async ValueTask DisposeAsync()
    {
        await Session.DisposeAsync();
        await _database.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task FillAsync(int rows)
    {
        await ExecuteAsync(
            $"""
            INSERT INTO filetransfer.nodes (node_id, configured_role, url, instance, started_at, seen_at)
            SELECT id, 'auto', 'http://127.0.0.1:1', gen_random_uuid(), now(), now() FROM unnest(ARRAY['a', 'b']) AS id;
            INSERT INTO filetransfer.files (file_key, owner, bucket, location, size, fingerprint, state)
            SELECT sha256(n::text::bytea), '\x01', '\x02', n::text::bytea, 8192, sha256(n::text::bytea), 'added'
            FROM generate_series(1, {rows}) AS n;
            INSERT INTO filetransfer.replicas (node_id, file_key, state, bytes_proven)
            SELECT 'a', file_key, 'stored', size FROM filetransfer.files;
            INSERT INTO filetransfer.replicas (node_id, file_key, state)
            SELECT 'b', file_key, 'wanted' FROM filetransfer.files
            """
        );
        await ExecuteAsync("VACUUM ANALYZE");
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _database.Pool.CreateCommand(sql);
        command.CommandTimeout = 600;
        await command.ExecuteNonQueryAsync();
    }
}
