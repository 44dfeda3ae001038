namespace FileTransfer.Postgres;

/// <summary>What every session sets for itself, whatever the server, the database or the role have for a default.</summary>
/// <remarks>
/// By statement and not in the start-up packet: proxies that keep one backend per session refuse unknown start-up parameters. Why each, and what
/// an operator sees of it, is in docs/operations.md.
/// </remarks>
internal static class SessionDefaults
{
    /// <summary>How long the server keeps a transaction whose client says nothing, and with it what the transaction locks.</summary>
    public const string IdleInTransaction = "30s";

    /// <summary>
    /// How long the server works on a statement that nobody ends. Beyond any patience of this program, which ends its statements itself: only those of a node that is
    /// gone come so far. Migrations take as long as they take.
    /// </summary>
    public const string Statement = "11min";

    private const string Sql = $"""
        SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
               set_config('default_transaction_isolation', 'read committed', false),
               set_config('default_transaction_deferrable', 'off', false),
               set_config('statement_timeout', '{Statement}', false),
               CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL THEN set_config('transaction_timeout', '0', false) END,
               set_config('idle_session_timeout', '0', false),
               set_config('idle_in_transaction_session_timeout', '{IdleInTransaction}', false),
               set_config('lock_timeout', '{LockWaits.Timeout}', false),
               set_config('jit', 'off', false),
               set_config('row_security', 'off', false),
               set_config('search_path', 'pg_catalog', false),
               set_config('client_min_messages', 'warning', false),
               set_config('DateStyle', 'ISO, YMD', false),
               set_config('IntervalStyle', 'postgres', false),
               set_config('TimeZone', 'UTC', false),
               set_config('bytea_output', 'hex', false),
               {JoinedServer.Identity}
        """;

    /// <param name="joined">The server that connections must go to.</param>
    public static NpgsqlDataSourceBuilder WithSessionDefaults(this NpgsqlDataSourceBuilder builder, JoinedServer joined) =>
        builder.UsePhysicalConnectionInitializer(
            connection => Set(connection, joined),
            connection => SetAsync(connection, joined)
        );

    private static void Set(NpgsqlConnection connection, JoinedServer joined)
    {
        using var command = new NpgsqlCommand(Sql, connection);
        using var reader = command.ExecuteReader();
        reader.Read();
        joined.Require(reader.GetValue(reader.FieldCount - 1) as string);
    }

    private static async Task SetAsync(NpgsqlConnection connection, JoinedServer joined)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        joined.Require(reader.GetValue(reader.FieldCount - 1) as string);
    }
}
