using System.Security.Cryptography;

namespace FileTransfer.Postgres.Embedded;

public sealed partial class EmbeddedPostgres
{
    private async Task WaitUntilReadyAsync(int port, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await using var connection = await ConnectAsync(port, cancellationToken);
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
        await using var connection = await ConnectAsync(port, cancellationToken);
        const string exists = $"SELECT EXISTS (SELECT FROM pg_database WHERE datname = '{EmbeddedLayout.DatabaseName}')";
        if (!await connection.QuerySingleAsync<bool>(exists, null, cancellationToken))
        {
            await connection.ExecuteAsync($"CREATE DATABASE {EmbeddedLayout.DatabaseName}", null, cancellationToken);
        }

        if (loopback)
        {
            var password = await PasswordAsync(cancellationToken);
            await connection.ExecuteAsync($"ALTER ROLE {EmbeddedLayout.Role} PASSWORD '{password}'", null, cancellationToken);
            ConnectionString = EmbeddedLayout.LoopbackConnectionString(port, password);
        }
    }

    /// <summary>Made once and kept, so that other programs of this machine can be told it.</summary>
    private async Task<string> PasswordAsync(CancellationToken cancellationToken)
    {
        var kept = File.Exists(_layout.PasswordFile)
            ? (await File.ReadAllTextAsync(_layout.PasswordFile, cancellationToken)).Trim()
            : "";
        if (kept.Length >= 16 && kept.All(char.IsAsciiHexDigitLower))
        {
            return kept;
        }

        var password = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        await using var writer = new StreamWriter(_layout.PasswordFile, options);
        await writer.WriteAsync(password.AsMemory(), cancellationToken);
        return password;
    }

    private async Task<NpgsqlConnection> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(_layout.SocketConnectionString(port, "postgres"))
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
