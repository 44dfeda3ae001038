namespace FileTransfer.Postgres;

/// <summary>Whether a database can carry this service: version, writes, and sessions that stay sessions.</summary>
internal static class DatabaseCompatibility
{
    public const int OldestServer = 15;
    private const string ReadMark = "SELECT pg_backend_pid(), current_setting('filetransfer.session', true)";

    /// <returns>Null = fit; else what it waits for: a standby may be promoted, a read-only setting may be changed.</returns>
    /// <exception cref="FatalStartException">It will not get better by itself.</exception>
    public static async Task<string?> CheckAsync(
        string connectionString,
        ILoggerFactory loggers,
        CancellationToken cancellationToken
    )
    {
        // Not of the pool: two of its connections would come from whoever used them before.
        await using var source = ConnectionSettings.Plain(connectionString, loggers);
        await using var first = await OpenAsync(source, cancellationToken);
        RefuseOldServer(first.PostgreSqlVersion);
        if (await ReadOnlyReasonAsync(first, cancellationToken) is { } reason)
        {
            return reason;
        }

        await RefuseSharedBackendsAsync(source, first, cancellationToken);
        return null;
    }

    /// <summary>Opens a server that takes writes, or one that takes none where there is no better.</summary>
    internal static async Task<NpgsqlConnection> OpenAsync(NpgsqlMultiHostDataSource source, CancellationToken cancellationToken)
    {
        try
        {
            return await source.OpenConnectionAsync(TargetSessionAttributes.ReadWrite, cancellationToken);
        }
        catch (NpgsqlException)
        {
            return await OpenAnyAsync(source, cancellationToken);
        }
    }

    /// <summary>None takes writes, or none answers: this throws the better reason, or finds one that takes none.</summary>
    private static async Task<NpgsqlConnection> OpenAnyAsync(
        NpgsqlMultiHostDataSource source,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await source.OpenConnectionAsync(TargetSessionAttributes.Any, cancellationToken);
        }
        catch (PostgresException e)
            when (e.SqlState
                    is PostgresErrorCodes.InvalidParameterValue
                        or PostgresErrorCodes.UndefinedObject
                        or PostgresErrorCodes.SyntaxError
            )
        {
            throw new FatalStartException(
                $"ConnectionStrings:Postgres sets something that the server does not take ({e.MessageText}); correct it, or leave it out.",
                e
            );
        }
    }

    internal static void RefuseOldServer(Version server)
    {
        if (server.Major < OldestServer)
        {
            throw new FatalStartException(
                $"The database server is PostgreSQL {server}; {OldestServer} or newer is needed. "
                    + "Upgrade it, or set ConnectionStrings:Postgres to a newer one."
            );
        }
    }

    /// <summary>Finds a proxy that lends its backends to many clients by turns.</summary>
    /// <remarks>
    /// One that takes the longest idle backend shows two to the first client. One that takes the last used gives the first client's to the
    /// second, who keeps it inside a transaction: it is seen there, or the first client is moved and misses what it has set.
    /// </remarks>
    internal static async Task RefuseSharedBackendsAsync(
        NpgsqlMultiHostDataSource source,
        NpgsqlConnection first,
        CancellationToken cancellationToken
    )
    {
        await using var second = await source.OpenConnectionAsync(TargetSessionAttributes.ReadWrite, cancellationToken);
        var mark = Guid.NewGuid().ToString("N");
        var before = await BackendAsync(
            first,
            $"SELECT pg_backend_pid(), set_config('filetransfer.session', '{mark}', false)",
            cancellationToken
        );
        RefuseUnless(before, await BackendAsync(first, ReadMark, cancellationToken));
        await using var transaction = await second.BeginTransactionAsync(cancellationToken);
        var other = await OtherBackendAsync(second, cancellationToken);
        if (other.Pid == before.Pid)
        {
            throw Refusal($"two connections were served by the same backend {other.Pid}");
        }

        RefuseUnless(before, await BackendAsync(first, ReadMark, cancellationToken));
    }

    private static async Task<(int Pid, string? Mark)> OtherBackendAsync(
        NpgsqlConnection second,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await BackendAsync(second, ReadMark, cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ProtocolViolation)
        {
            // pgbouncer's statement pooling does not even allow transactions.
            throw Refusal(e.MessageText);
        }
    }

    private static void RefuseUnless((int Pid, string? Mark) expected, (int Pid, string? Mark) found)
    {
        if (expected.Pid != found.Pid)
        {
            throw Refusal($"one connection was served by backend {expected.Pid}, then by {found.Pid}");
        }

        if (expected.Mark != found.Mark)
        {
            throw Refusal("a setting of the session was gone with the next statement");
        }
    }

    private static FatalStartException Refusal(string evidence) =>
        new(
            $"The database connection goes through a proxy that moves sessions between backends ({evidence}), so no lock could be held on it. "
                + "Set ConnectionStrings:Postgres to the server itself, or give the proxy session pooling (pgbouncer: pool_mode = session)."
        );

    internal static async Task<string?> ReadOnlyReasonAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.QuerySingleAsync<(bool IsStandby, bool IsReadOnly)>(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean",
            null,
            cancellationToken
        ) switch
        {
            (true, _) =>
                "the database server is a standby and takes no writes; promote it, or set ConnectionStrings:Postgres to the primary",
            (_, true) => "the database takes no writes; set default_transaction_read_only = off for it or for this user",
            _ => null,
        };

    private static Task<(int Pid, string? Mark)> BackendAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken
    ) => connection.QuerySingleAsync<(int, string?)>(sql, null, cancellationToken);
}
