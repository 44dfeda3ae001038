using FileTransfer.Postgres.Roles;

namespace FileTransfer.Postgres.Embedded;

public sealed partial class EmbeddedPostgres
{
    private async Task WaitUntilReadyAsync(int port, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await using var connection = await ConnectAsync(port, "postgres", cancellationToken);
                return;
            }
            catch (NpgsqlException)
            {
                // Not listening yet, or recovering: however long that takes, it goes on as long as the server lives.
                await Task.WhenAny(Ended, Task.Delay(20, cancellationToken));
                cancellationToken.ThrowIfCancellationRequested();
            }

            if (Ended.IsCompleted)
            {
                throw new IOException(
                    $"The private PostgreSQL in {_layout.Folder} did not start: {await ReadStartupErrorsAsync(cancellationToken)}"
                );
            }
        }
    }

    private async Task PrepareDatabaseAsync(int port, bool loopback, CancellationToken cancellationToken)
    {
        AdminConnectionString = _layout.SocketConnectionString(port, EmbeddedLayout.DatabaseName, EmbeddedLayout.Owner);
        await using (var connection = await ConnectAsync(port, "postgres", cancellationToken))
        {
            const string exists = $"SELECT EXISTS (SELECT FROM pg_database WHERE datname = '{EmbeddedLayout.DatabaseName}')";
            if (!await connection.QuerySingleAsync<bool>(exists, null, cancellationToken))
            {
                await connection.ExecuteAsync($"CREATE DATABASE {EmbeddedLayout.DatabaseName}", null, cancellationToken);
            }
        }

        var password = await PrepareRoleAsync(port, cancellationToken);
        if (loopback)
        {
            ConnectionString = EmbeddedLayout.LoopbackConnectionString(port, password);
        }
    }

    /// <summary>The role that nodes connect as, and its password: made once and kept, so that other programs of this machine can be told it.</summary>
    private async Task<string> PrepareRoleAsync(int port, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(port, EmbeddedLayout.DatabaseName, cancellationToken);
        const string exists = $"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{EmbeddedLayout.Role}')";
        var kept = File.Exists(_layout.PasswordFile)
            ? (await File.ReadAllTextAsync(_layout.PasswordFile, cancellationToken)).Trim()
            : "";
        var isKept = kept.Length >= 16 && kept.All(char.IsAsciiHexDigitLower);
        if (isKept && await connection.QuerySingleAsync<bool>(exists, null, cancellationToken))
        {
            return kept;
        }

        var password = isKept ? kept : NodeRole.NewPassword();
        await SecretFile.WriteAsync(_layout.PasswordFile, password, cancellationToken);
        await NodeRole.CreateAsync(connection, EmbeddedLayout.Role, password, limit: null, cancellationToken);

        // An earlier program gave it to the superuser.
        await connection.ExecuteAsync($"ALTER ROLE {EmbeddedLayout.Owner} PASSWORD NULL", null, cancellationToken);
        return password;
    }

    private async Task<NpgsqlConnection> ConnectAsync(int port, string database, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(_layout.SocketConnectionString(port, database, EmbeddedLayout.Owner))
        {
            Pooling = false,
            Timeout = 5,
        };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task<string> ReadStartupErrorsAsync(CancellationToken cancellationToken)
    {
        var words = await _supervisor!.StandardError.ReadToEndAsync(cancellationToken);
        if (File.Exists(_layout.LogFile))
        {
            words += string.Join('\n', File.ReadLines(_layout.LogFile).TakeLast(5));
        }

        return $"{words.Trim()} (all of it in {_layout.LogFile})";
    }
}
