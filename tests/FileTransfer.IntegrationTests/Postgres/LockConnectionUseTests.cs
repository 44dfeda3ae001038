using System.Diagnostics;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Npgsql;

namespace FileTransfer.IntegrationTests.Postgres;

/// <summary>A session reads notifications between commands, and serves one command after the other.</summary>
public sealed class LockConnectionUseTests : LockConnectionFacts
{
    [Fact]
    public async Task A_failing_statement_does_not_lose_the_session()
    {
        await using var session = await OpenAsync();
        (await session.TryLockAsync(Key, default)).ShouldBeTrue();
        (await Should.ThrowAsync<PostgresException>(() => RunAsync(session, "SELECT 1/0"))).SqlState.ShouldBe(
            PostgresErrorCodes.DivisionByZero
        );
        (await session.ProveAsync(Key, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_cancelled_statement_does_not_lose_the_session()
    {
        await using var session = await OpenAsync();
        (await session.TryLockAsync(Key, default)).ShouldBeTrue();
        using var cancel = new CancellationTokenSource(100);
        await Should.ThrowAsync<OperationCanceledException>(
            session.UseAsync(
                async (connection, token) =>
                {
                    await using var command = new NpgsqlCommand("SELECT pg_sleep(30)", connection);
                    await command.ExecuteNonQueryAsync(token);
                },
                cancel.Token
            )
        );
        (await session.ProveAsync(Key, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_notification_arrives_while_the_session_is_idle()
    {
        await using var session = await OpenAsync();
        var heard = new TaskCompletionSource<(string, string)>(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Notified += news => heard.TrySetResult((news.Channel, news.Payload));
        await RunAsync(session, "LISTEN news");
        await ListeningAsync(session);

        await Db.ExecuteAsync("SELECT pg_notify('news', 'all is well')");
        (await heard.Task.WaitAsync(Soon)).ShouldBe(("news", "all is well"));
    }

    [Fact]
    public async Task A_failing_listener_does_not_end_the_session()
    {
        await using var session = await OpenAsync();
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Notified += news =>
        {
            if (news.Payload == "first")
            {
                throw new InvalidOperationException("a fault of the listener");
            }

            heard.TrySetResult();
        };
        await RunAsync(session, "LISTEN news");
        await Db.ExecuteAsync("SELECT pg_notify('news', 'first')");
        await Db.ExecuteAsync("SELECT pg_notify('news', 'second')");
        await heard.Task.WaitAsync(Soon);
        session.Lost.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Commands_that_interrupt_the_listening_all_get_their_own_answer_and_no_notification_is_lost()
    {
        await using var session = await OpenAsync();
        var heard = 0;
        session.Notified += _ => Interlocked.Increment(ref heard);
        await RunAsync(session, "LISTEN news");
        for (var i = 0; i < 20; i++)
        {
            await ListeningAsync(session);
            var notify = Db.ExecuteAsync("SELECT pg_notify('news', 'x')");
            (await ScalarAsync(session, $"SELECT {i}")).ShouldBe(i);
            await notify;
        }

        await Eventually.HoldsAsync(() => Task.FromResult(Volatile.Read(ref heard) == 20), "all are heard");
        session.Lost.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Uses_at_the_same_time_wait_for_each_other()
    {
        await using var session = await OpenAsync();
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(i => ScalarAsync(session, $"SELECT {i} FROM pg_sleep(0.001)"))
        );
        answers.ShouldBe(Enumerable.Range(0, 50).Select(i => (int?)i));
    }

    [Fact]
    public async Task A_burst_of_short_commands_is_as_fast_as_on_a_plain_connection()
    {
        await using var session = await OpenAsync();
        await using var plain = await Db.Pool.OpenConnectionAsync();
        var (onSession, onPlain) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
        // The best rounds are compared: as many as it takes to catch both in a quiet moment of the machine.
        for (var round = 0; round < 5 || (onSession >= onPlain * 2 && round < 50); round++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < 200; i++)
            {
                await ScalarAsync(session, "SELECT 1");
            }

            var middle = Stopwatch.GetTimestamp();
            for (var i = 0; i < 200; i++)
            {
                await using var command = new NpgsqlCommand("SELECT 1", plain);
                await command.ExecuteScalarAsync();
            }

            onSession = Min(onSession, Stopwatch.GetElapsedTime(start, middle));
            onPlain = Min(onPlain, Stopwatch.GetElapsedTime(middle));
        }

        onSession.ShouldBeLessThan(onPlain * 2);
    }

    [Fact]
    public async Task The_session_is_named_in_the_list_of_the_server()
    {
        await using var session = await Database.OpenSessionAsync("node-a/lane-3", default);
        (
            await Db.ScalarAsync<string>($"SELECT application_name FROM pg_stat_activity WHERE pid = {session.BackendPid}")
        ).ShouldBe("node-a/lane-3");
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
