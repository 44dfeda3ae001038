using System.Net.Sockets;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace FileTransfer.Tests.Postgres;

public sealed class DatabaseReachTests
{
    [Theory]
    [InlineData("08006", "ERROR", true)] // connection failure
    [InlineData("57P01", "FATAL", true)] // terminated by an administrator
    [InlineData("57P02", "FATAL", true)] // crashed
    [InlineData("57P03", "FATAL", true)] // starting up
    [InlineData("53300", "FATAL", true)] // too many connections
    [InlineData("25006", "ERROR", true)] // fail-over left this session on a standby
    [InlineData("25P03", "FATAL", true)] // this node stood still in a transaction
    [InlineData("25P04", "FATAL", true)] // a transaction took too long
    [InlineData("57P05", "FATAL", true)] // a session that the pool kept was idle for longer than the server allows
    [InlineData("28P01", "FATAL", true)] // the password was changed
    [InlineData("23505", "ERROR", false)] // unique violation
    [InlineData("42601", "ERROR", false)] // syntax error
    [InlineData("22P02", "ERROR", false)] // malformed value
    public void States_that_pass_by_themselves_and_sessions_that_the_server_ends_count_as_database_away(
        string sqlState,
        string severity,
        bool away
    ) => DatabaseReach.IsAway(new PostgresException("refused", severity, severity, sqlState)).ShouldBe(away);

    [Fact]
    public void An_outage_is_told_at_once_then_ever_more_rarely_and_when_it_is_over()
    {
        var time = new FakeTimeProvider();
        var log = new Lines();
        var reach = new DatabaseReach("db:5432", time, log);
        for (var elapsed = TimeSpan.Zero; elapsed < TimeSpan.FromHours(5); elapsed += TimeSpan.FromSeconds(5))
        {
            reach.Lost("refused");
            time.Advance(TimeSpan.FromSeconds(5));
        }

        reach.Regained();
        reach.Regained();
        reach.Lost("refused");

        log.Told[0].ShouldStartWith("The database at db:5432 is unreachable: refused.");
        log.Told[1..^2]
            .Select(line => line[(line.IndexOf("away for ", StringComparison.Ordinal) + 9)..].Split(' ')[0])
            .ShouldBe(["1", "3", "7", "15", "31", "63", "123", "183", "243"]);
        log.Told[^2].ShouldBe("The database at db:5432 is back after 18000.0 s");
        log.Told[^1].ShouldBe(log.Told[0]);
    }

    private sealed class Lines : ILogger
    {
        public List<string> Told { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => Told.Add(formatter(state, exception));
    }

    [Fact]
    public void A_broken_or_refused_connection_and_an_exhausted_pool_count_as_database_away()
    {
        DatabaseReach.IsAway(new NpgsqlException("broken", new IOException("reset"))).ShouldBeTrue();
        DatabaseReach.IsAway(new NpgsqlException("pool", new TimeoutException())).ShouldBeTrue();
        DatabaseReach.IsAway(new SocketException((int)SocketError.HostNotFound)).ShouldBeTrue();
        DatabaseReach.IsAway(new NpgsqlException("misuse", new InvalidCastException())).ShouldBeFalse();
        DatabaseReach.IsAway(new InvalidOperationException()).ShouldBeFalse();
    }
}
