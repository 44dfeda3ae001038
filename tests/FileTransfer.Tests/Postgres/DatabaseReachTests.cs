using System.Net.Sockets;
using FileTransfer.Postgres;
using Npgsql;

namespace FileTransfer.Tests.Postgres;

public sealed class DatabaseReachTests
{
    [Theory]
    [InlineData("08006", true)] // connection failure
    [InlineData("57P01", true)] // terminated by an administrator
    [InlineData("57P02", true)] // crashed
    [InlineData("57P03", true)] // starting up
    [InlineData("53300", true)] // too many connections
    [InlineData("25006", true)] // fail-over left this session on a standby
    [InlineData("23505", false)] // unique violation
    [InlineData("42601", false)] // syntax error
    [InlineData("22P02", false)] // malformed value
    public void Only_states_that_pass_by_themselves_count_as_database_away(string sqlState, bool away) =>
        DatabaseReach.IsAway(new PostgresException("refused", "ERROR", "ERROR", sqlState)).ShouldBe(away);

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
