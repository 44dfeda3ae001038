using Npgsql;

namespace FileTransfer.Postgres;

/// <summary>Whether a database can carry this service: version, writes, and sessions that stay sessions.</summary>
internal static class DatabaseFitness
{
    public const int OldestServer = 15;

    /// <returns>Null = fit; else what it waits for: a standby may be promoted, a read-only setting may be changed.</returns>
    /// <exception cref="FatalStartException">It will not get better by itself.</exception>
    public static async Task<string?> CheckAsync(
        string connectionString,
        ILoggerFactory loggers,
        CancellationToken cancellationToken
    )
    {
        // Not of the pool: two of its connections would come from whoever used them before.
        await using var source = ConnectionSettings.Sessions(connectionString, loggers);
        await using var first = await source.OpenConnectionAsync(TargetSessionAttributes.PreferPrimary, cancellationToken);
        if (first.PostgreSqlVersion.Major < OldestServer)
        {
            throw new FatalStartException(
                $"The database server is PostgreSQL {first.PostgreSqlVersion}; {OldestServer} or newer is needed. "
                    + "Upgrade it, or set ConnectionStrings:Postgres to a newer one."
            );
        }

        await using var second = await source.OpenConnectionAsync(TargetSessionAttributes.PreferPrimary, cancellationToken);
        await RefuseSharedBackendsAsync(first, second, cancellationToken);
        return await ReadOnlyReasonAsync(first, cancellationToken);
    }

    /// <summary>
    /// Finds a proxy that lends one backend to many clients by turns: while the second client is inside a transaction it holds a backend,
    /// and a first client that has a session of its own is neither moved nor stripped of its settings by that.
    /// </summary>
    private static async Task RefuseSharedBackendsAsync(
        NpgsqlConnection first,
        NpgsqlConnection second,
        CancellationToken cancellationToken
    )
    {
        var mark = Guid.NewGuid().ToString("N");
        var before = await BackendAsync(
            first,
            $"SELECT pg_backend_pid(), set_config('filetransfer.session', '{mark}', false)",
            cancellationToken
        );
        await using var transaction = await second.BeginTransactionAsync(cancellationToken);
        var other = await BackendAsync(second, "SELECT pg_backend_pid(), ''", cancellationToken);
        var after = await BackendAsync(
            first,
            "SELECT pg_backend_pid(), current_setting('filetransfer.session', true)",
            cancellationToken
        );
        if (before.Pid != after.Pid || before.Pid == other.Pid || after.Mark != mark)
        {
            throw new FatalStartException(
                "The database connection goes through a proxy that moves a session between backends "
                    + $"(one connection was served by backend {before.Pid}, then by {after.Pid}), so no lock could be held on it. "
                    + "Set ConnectionStrings:Postgres to the server itself, or give the proxy session pooling (pgbouncer: pool_mode = session)."
            );
        }
    }

    private static async Task<string?> ReadOnlyReasonAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetBoolean(0), reader.GetBoolean(1)) switch
        {
            (true, _) =>
                "the database server is a standby and takes no writes; promote it, or set ConnectionStrings:Postgres to the primary",
            (_, true) => "the database takes no writes; set default_transaction_read_only = off for it or for this user",
            _ => null,
        };
    }

    private static async Task<(int Pid, string? Mark)> BackendAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt32(0), await reader.IsDBNullAsync(1, cancellationToken) ? null : reader.GetString(1));
    }
}
