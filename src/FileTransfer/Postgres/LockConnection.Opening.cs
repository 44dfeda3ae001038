namespace FileTransfer.Postgres;

public sealed partial class LockConnection
{
    /// <summary>Opens a connection of <paramref name="source"/>, which must not pool, and makes the server notice soon when this side is gone.</summary>
    internal static async Task<LockConnection> OpenAsync(
        NpgsqlMultiHostDataSource source,
        string applicationName,
        DurableCommits commits,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        var connection = await source.OpenConnectionAsync(TargetSessionAttributes.ReadWrite, cancellationToken);
        try
        {
            // A session that is alive says something every two seconds: one of a process that stands still frees its locks for others.
            // What it writes for itself waits for no standby: claims, heartbeats and the like are found out again after a failover.
            // Set by statement, not in the start-up packet: proxies that keep one backend per session refuse unknown start-up parameters.
            await using var command = new NpgsqlCommand(
                """
                SELECT set_config('application_name', $1, false),
                       set_config('tcp_keepalives_idle', '5', false),
                       set_config('tcp_keepalives_interval', '2', false),
                       set_config('tcp_keepalives_count', '3', false),
                       set_config('tcp_user_timeout', '11000', false),
                       set_config('idle_session_timeout', '15s', false),
                       pg_backend_pid(),
                       current_setting('synchronous_commit'),
                       set_config('synchronous_commit', 'local', false)
                """,
                connection
            )
            {
                Parameters = { new() { Value = applicationName } },
            };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            var pid = reader.GetInt32(6);
            var confirmedCommit = reader.GetString(7);
            await reader.DisposeAsync();
            return new LockConnection(connection, applicationName, pid, confirmedCommit, commits, time, logger);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
