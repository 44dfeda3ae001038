using System.Diagnostics;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FileTransfer.IntegrationTests.Postgres;

public sealed class LockConnectionTests : IAsyncLifetime
{
    private static readonly AdvisoryLockKey Key = AdvisoryLockKey.FromName("a lock of the test");
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(15);

    private TestDatabase _db = null!;
    private Database _database = null!;

    public async ValueTask InitializeAsync()
    {
        _db = await PostgresCluster.CreateDatabaseAsync();
        _database = new Database(new DatabaseSource(_db.ConnectionString, null), NullLoggerFactory.Instance, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _db.DisposeAsync();
    }

    [Fact]
    public async Task The_proof_is_true_for_the_holder_alone()
    {
        await using var holder = await OpenAsync();
        await using var other = await OpenAsync();
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(holder, Key, default);

        lease.ShouldNotBeNull();
        (await holder.ProveAsync(Key, default)).ShouldBeTrue();
        (await other.ProveAsync(Key, default)).ShouldBeFalse();
        (await AdvisoryLockHandle.TryAcquireAsync(other, Key, default)).ShouldBeNull();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(0x00000000_FFFFFFFFL)]
    [InlineData(unchecked((long)0xFFFFFFFF_00000000UL))]
    [InlineData(unchecked((long)0x80000000_80000000UL))]
    public async Task Every_64_bit_key_can_be_proven_and_its_halves_are_those_the_server_shows(long value)
    {
        var key = new AdvisoryLockKey(value);
        await using var session = await OpenAsync();
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(session, key, default);

        lease.ShouldNotBeNull();
        (await session.ProveAsync(key, default)).ShouldBeTrue();
        (
            await _db.ScalarAsync<string>(
                $"SELECT classid || '/' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = {session.BackendPid}"
            )
        ).ShouldBe(key.ToString());
    }

    [Fact]
    public async Task A_shared_lock_and_a_two_part_lock_of_the_same_numbers_prove_nothing()
    {
        await using var session = await OpenAsync();
        await RunAsync(
            session,
            $"SELECT pg_advisory_lock_shared({Key.Value}), pg_advisory_lock({(int)Key.High}, {(int)Key.Low})"
        );
        (await session.ProveAsync(Key, default)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_lock_in_another_database_of_the_same_server_proves_nothing()
    {
        await using var elsewhere = await PostgresCluster.CreateDatabaseAsync();
        await using var other = new Database(
            new DatabaseSource(elsewhere.ConnectionString, null),
            NullLoggerFactory.Instance,
            TimeProvider.System
        );
        await using var there = await other.OpenSessionAsync("there", default);
        await using var here = await OpenAsync();

        (await there.TryLockAsync(Key, default)).ShouldBeTrue();
        (await here.ProveAsync(Key, default)).ShouldBeFalse();
        (await here.TryLockAsync(Key, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_released_lock_is_proven_no_more_and_can_be_had_by_others_at_once()
    {
        await using var first = await OpenAsync();
        await using var second = await OpenAsync();
        var lease = await AdvisoryLockHandle.TryAcquireAsync(first, Key, default);
        await lease!.DisposeAsync();

        (await first.ProveAsync(Key, default)).ShouldBeFalse();
        first.Lost.IsCancellationRequested.ShouldBeFalse();
        (await second.TryLockAsync(Key, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_second_lock_on_a_held_key_is_refused_because_locks_stack()
    {
        await using var session = await OpenAsync();
        (await session.TryLockAsync(Key, default)).ShouldBeTrue();
        await Should.ThrowAsync<InvalidOperationException>(() => session.TryLockAsync(Key, default));
        await session.UnlockAsync(Key, default);
        (await session.ProveAsync(Key, default)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_lock_that_was_stacked_behind_its_back_ends_with_its_session()
    {
        await using var session = await OpenAsync();
        await using var other = await OpenAsync();
        var lease = await AdvisoryLockHandle.TryAcquireAsync(session, Key, default);
        await RunAsync(session, $"SELECT pg_advisory_lock({Key.Value})");
        await lease!.DisposeAsync();

        await FiredAsync(session.Lost);
        await Eventually(() => other.TryLockAsync(Key, default));
    }

    [Fact]
    public async Task Unlocking_what_is_not_held_gives_the_session_up()
    {
        await using var session = await OpenAsync();
        await Should.ThrowAsync<LockConnectionLostException>(() => session.UnlockAsync(Key, default));
        await FiredAsync(session.Lost);
    }

    [Fact]
    public async Task A_holder_whose_idle_backend_is_terminated_knows_within_two_seconds()
    {
        await using var session = await OpenAsync();
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(session, Key, default);
        await ListeningAsync(session);

        await _db.TerminateAsync(session.BackendPid);
        await FiredAsync(session.Lost);
        (await session.ProveAsync(Key, default)).ShouldBeFalse();
        await Should.ThrowAsync<LockConnectionLostException>(() => RunAsync(session, "SELECT 1"));
    }

    [Fact]
    public async Task A_holder_whose_backend_is_terminated_right_after_a_command_knows_within_two_seconds()
    {
        await using var session = await OpenAsync();
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(session, Key, default);
        await _db.TerminateAsync(session.BackendPid);
        await FiredAsync(session.Lost);
    }

    [Fact]
    public async Task A_holder_whose_backend_is_terminated_in_use_knows_within_two_seconds()
    {
        await using var session = await OpenAsync();
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(session, Key, default);
        var use = RunAsync(session, "SELECT pg_sleep(30)");
        await Eventually(async () =>
            await _db.ScalarAsync<string>($"SELECT wait_event FROM pg_stat_activity WHERE pid = {session.BackendPid}")
            == "PgSleep"
        );

        await _db.TerminateAsync(session.BackendPid);
        await FiredAsync(session.Lost);
        await Should.ThrowAsync<LockConnectionLostException>(use);
    }

    [Fact]
    public async Task A_lost_session_is_opened_anew_and_the_lock_can_be_taken_again()
    {
        var session = await OpenAsync();
        (await session.TryLockAsync(Key, default)).ShouldBeTrue();
        await _db.TerminateAsync(session.BackendPid);
        await FiredAsync(session.Lost);
        await session.DisposeAsync();

        await using var next = await OpenAsync();
        (await next.TryLockAsync(Key, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task Closing_leaves_no_lock_and_no_backend()
    {
        var session = await OpenAsync();
        (await session.TryLockAsync(Key, default)).ShouldBeTrue();
        await session.DisposeAsync();

        session.Lost.IsCancellationRequested.ShouldBeTrue();
        (
            await _db.ScalarAsync<long>(
                $"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = {session.BackendPid}"
            )
        ).ShouldBe(0);
        await Eventually(async () =>
            await _db.ScalarAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE pid = {session.BackendPid}") == 0
        );
    }

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
        session.Notified += (channel, payload) => heard.TrySetResult((channel, payload));
        await RunAsync(session, "LISTEN news");
        await ListeningAsync(session);

        await _db.ExecuteAsync("SELECT pg_notify('news', 'all is well')");
        (await heard.Task.WaitAsync(Soon)).ShouldBe(("news", "all is well"));
    }

    [Fact]
    public async Task A_failing_listener_does_not_end_the_session()
    {
        await using var session = await OpenAsync();
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Notified += (_, payload) =>
        {
            if (payload == "first")
            {
                throw new InvalidOperationException("a fault of the listener");
            }

            heard.TrySetResult();
        };
        await RunAsync(session, "LISTEN news");
        await _db.ExecuteAsync("SELECT pg_notify('news', 'first')");
        await _db.ExecuteAsync("SELECT pg_notify('news', 'second')");
        await heard.Task.WaitAsync(Soon);
        session.Lost.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Commands_that_interrupt_the_listening_all_get_their_own_answer_and_no_notification_is_lost()
    {
        await using var session = await OpenAsync();
        var heard = 0;
        session.Notified += (_, _) => Interlocked.Increment(ref heard);
        await RunAsync(session, "LISTEN news");
        for (var i = 0; i < 20; i++)
        {
            await ListeningAsync(session);
            var notify = _db.ExecuteAsync("SELECT pg_notify('news', 'x')");
            (await ScalarAsync(session, $"SELECT {i}")).ShouldBe(i);
            await notify;
        }

        await Eventually(() => Task.FromResult(Volatile.Read(ref heard) == 20));
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
        await using var plain = await _db.Pool.OpenConnectionAsync();
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
        await using var session = await _database.OpenSessionAsync("node-a/lane-3", default);
        (
            await _db.ScalarAsync<string>($"SELECT application_name FROM pg_stat_activity WHERE pid = {session.BackendPid}")
        ).ShouldBe("node-a/lane-3");
    }

    [Fact]
    public async Task A_session_cut_off_without_a_word_is_lost_before_the_server_gives_its_locks_to_others()
    {
        await using var proxy = new PoolingProxy(_db.ConnectionString, PoolingProxy.Kind.Session, 0);
        await using var database = new Database(
            new DatabaseSource(proxy.ConnectionString, null),
            NullLoggerFactory.Instance,
            TimeProvider.System
        );
        await using var session = await database.OpenSessionAsync("cut off", default);
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(session, Key, default);
        await ListeningAsync(session);

        // The server notices after 11 s: 5 s of silence and three questions, 2 s apart.
        proxy.Freeze();
        await Should.ThrowAsync<TaskCanceledException>(Task.Delay(TimeSpan.FromSeconds(8), session.Lost));
    }

    [Fact]
    public async Task A_proof_that_gets_no_answer_is_none_and_gives_the_session_up()
    {
        await using var proxy = new PoolingProxy(_db.ConnectionString, PoolingProxy.Kind.Session, 0);
        await using var database = new Database(
            new DatabaseSource(proxy.ConnectionString, null),
            NullLoggerFactory.Instance,
            TimeProvider.System
        );
        await using var session = await database.OpenSessionAsync("cut off", default);
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(session, Key, default);

        proxy.Freeze();
        (await session.ProveAsync(Key, default).WaitAsync(Soon)).ShouldBeFalse();
        session.Lost.IsCancellationRequested.ShouldBeTrue();
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private Task<LockConnection> OpenAsync() => _database.OpenSessionAsync("lease", default);

    private static Task RunAsync(LockConnection session, string sql) => ScalarAsync(session, sql);

    private static Task<int?> ScalarAsync(LockConnection session, string sql) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                return await command.ExecuteScalarAsync(token) as int?;
            },
            default
        );

    /// <summary>Waits until the session's own reading of the socket has begun.</summary>
    private static Task ListeningAsync(LockConnection session) => Eventually(() => Task.FromResult(session.IsListening));

    /// <summary>The delay ends early, by the token, or the fact did not come about in time.</summary>
    private static Task FiredAsync(CancellationToken lost) => Should.ThrowAsync<TaskCanceledException>(Task.Delay(Soon, lost));

    private static async Task Eventually(Func<Task<bool>> fact)
    {
        var since = Stopwatch.GetTimestamp();
        while (!await fact())
        {
            Stopwatch.GetElapsedTime(since).ShouldBeLessThan(TimeSpan.FromSeconds(10));
            await Task.Delay(5);
        }
    }
}
