using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FileTransfer.Tests.Postgres;

public sealed class ConnectionSettingsTests
{
    [Theory]
    [InlineData("", 10, 5)]
    [InlineData("Connection Idle Lifetime=600", 600, 10)]
    [InlineData("Connection Idle Lifetime=3;Connection Pruning Interval=2", 3, 2)]
    public async Task Idle_connections_are_closed_soon_unless_the_operator_says_when(string written, int lifetime, int interval)
    {
        await using var pool = ConnectionSettings.Pool($"Host=nowhere;{written}", new JoinedServer(), NullLoggerFactory.Instance);

        var settings = new NpgsqlConnectionStringBuilder(pool.ConnectionString);
        settings.ConnectionIdleLifetime.ShouldBe(lifetime);
        settings.ConnectionPruningInterval.ShouldBe(interval);
    }
}
