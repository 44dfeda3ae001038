using System.Data;

namespace FileTransfer.Postgres;

/// <remarks>
/// One transaction per step, under an advisory lock that ends with it: any number of processes may start at once, each step is applied
/// by one of them, and a step that fails leaves nothing behind. Applied steps are recorded with their checksum and never change.
/// </remarks>
public sealed partial class SchemaMigrator
{
    private static readonly AdvisoryLockKey Lock = AdvisoryLockKey.FromName("filetransfer/schema");

    private readonly NpgsqlDataSource _pool;
    private readonly ILogger _logger;
    private readonly IReadOnlyList<Migration> _migrations;

    public SchemaMigrator(NpgsqlDataSource pool, ILogger<SchemaMigrator> logger)
        : this(pool, logger, Migration.Embedded) { }

    internal SchemaMigrator(NpgsqlDataSource pool, ILogger logger, IReadOnlyList<Migration> migrations)
    {
        for (var i = 0; i < migrations.Count; i++)
        {
            if (migrations[i].Version != i + 1)
            {
                throw new ArgumentException(
                    $"Migration {migrations[i].Version:0000}_{migrations[i].Name} should have number {i + 1:0000}.",
                    nameof(migrations)
                );
            }
        }

        _pool = pool;
        _logger = logger;
        _migrations = migrations;
    }

    /// <exception cref="FatalStartException">The schema is newer than this program and does not only expand, or an applied step is not the one this program carries.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        while (await ApplyNextAsync(cancellationToken) is { } applied)
        {
            Log.Applied(_logger, applied.Version, applied.Name);
        }
    }

    /// <summary>How many steps are applied, and how many this program knows. Changes nothing.</summary>
    /// <exception cref="FatalStartException">As <see cref="MigrateAsync"/>.</exception>
    public async Task<(int Applied, int Known)> LookAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _pool.OpenConnectionAsync(cancellationToken);
        return (await ReadAppliedAsync(connection, cancellationToken) ?? 0, _migrations.Count);
    }

    private async Task<Migration?> ApplyNextAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        await ExecuteAsync(
            connection,
            $"SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({Lock.Value})",
            cancellationToken
        );
        if (await ReadAppliedAsync(connection, cancellationToken) is not { } done)
        {
            await ExecuteAsync(connection, CreateRecordSql, cancellationToken);
            done = 0;
        }

        if (done >= _migrations.Count)
        {
            return null;
        }

        var next = _migrations[done];
        await ExecuteAsync(connection, next.Sql, cancellationToken);
        await connection.ExecuteAsync(
            "INSERT INTO filetransfer.schema_versions (version, name, checksum) VALUES (@Version, @Name, @Checksum)",
            new
            {
                next.Version,
                next.Name,
                next.Checksum,
            },
            cancellationToken
        );
        await transaction.CommitAsync(cancellationToken);
        return next;
    }

    /// <returns>How many steps are applied, all of them checked against this program's; null where there is no record of any.</returns>
    private async Task<int?> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string exists = "SELECT to_regclass('filetransfer.schema_versions') IS NOT NULL";
        const string read = "SELECT version, name, checksum FROM filetransfer.schema_versions ORDER BY version";
        if (!await connection.QuerySingleAsync<bool>(exists, null, cancellationToken))
        {
            return null;
        }

        var done = 0;
        foreach (
            var (version, name, checksum) in await connection.QueryAsync<(int, string, string)>(read, null, cancellationToken)
        )
        {
            Check(version, name, checksum);
            done++;
        }

        return done;
    }

    private void Check(int version, string name, string checksum)
    {
        if (version > _migrations.Count)
        {
            if (Migration.Expands(name))
            {
                Log.Newer(_logger, version, name);
                return;
            }

            throw new FatalStartException(
                $"The database has schema version {version} ({name}); this program knows only {_migrations.Count}. "
                    + "Start the newer program that made it, or restore a backup from before its upgrade."
            );
        }

        var known = _migrations[version - 1];
        if (known.Checksum != checksum)
        {
            throw new FatalStartException(
                $"Schema version {version} in the database ({name}, checksum {checksum}) is not the one this program carries "
                    + $"({known.Name}, checksum {known.Checksum}). Start the program that made this database, or use another database."
            );
        }
    }

    private const string CreateRecordSql = """
        -- IF NOT EXISTS asks for the right to make schemas also where this one exists.
        DO $$ BEGIN
            IF to_regnamespace('filetransfer') IS NULL THEN CREATE SCHEMA filetransfer; END IF;
        END $$;
        CREATE TABLE filetransfer.schema_versions (
            version    integer PRIMARY KEY,
            name       text NOT NULL,
            checksum   text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """;

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        // Waiting for another starter, or building an index on a big table, takes as long as it takes.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(2070, LogLevel.Information, "Schema version {Version} ({Name}) applied")]
        public static partial void Applied(ILogger logger, int version, string name);

        [LoggerMessage(
            2071,
            LogLevel.Information,
            "A newer program has added schema version {Version} ({Name}), which this one needs not know"
        )]
        public static partial void Newer(ILogger logger, int version, string name);
    }
}
