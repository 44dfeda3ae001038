using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Postgres;

/// <summary>A session that is lost is known to be.</summary>
public sealed class LockConnectionLossTests : LockConnectionFacts
{
    [Fact]
    public async Task A_holder_whose_idle_backend_is_terminated_knows_within_two_seconds()
    {
        await using var session = await OpenAsync();
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(session, Key, default);
        await ListeningAsync(session);

        await Db.TerminateAsync(session.BackendPid);
        await FiredAsync(session.Lost);
        (await session.ProveAsync(Key, default)).ShouldBeFalse();
        await Should.ThrowAsync<LockConnectionLostException>(() => RunAsync(session, "SELECT 1"));
    }

    [Fact]
    public async Task A_holder_whose_backend_is_terminated_right_after_a_command_knows_within_two_seconds()
    {
        await using var session = await OpenAsync();
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(session, Key, default);
        await Db.TerminateAsync(session.BackendPid);
        await FiredAsync(session.Lost);
    }

    [Fact]
    public async Task A_holder_whose_backend_is_terminated_in_use_knows_within_two_seconds()
    {
        await using var session = await OpenAsync();
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(session, Key, default);
        var use = RunAsync(session, "SELECT pg_sleep(30)");
        await Eventually.HoldsAsync(
            async () =>
                await Db.ScalarAsync<string>($"SELECT wait_event FROM pg_stat_activity WHERE pid = {session.BackendPid}")
                == "PgSleep",
            "it is in use"
        );

        await Db.TerminateAsync(session.BackendPid);
        await FiredAsync(session.Lost);
        await Should.ThrowAsync<LockConnectionLostException>(use);
    }

    [Fact]
    public async Task A_lost_session_is_opened_anew_and_the_lock_can_be_taken_again()
    {
        var session = await OpenAsync();
        (await session.TryLockAsync(Key, default)).ShouldBeTrue();
        await Db.TerminateAsync(session.BackendPid);
        await FiredAsync(session.Lost);
        await session.DisposeAsync();

        await using var next = await OpenAsync();
        (await next.TryLockAsync(Key, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_session_cut_off_without_a_word_is_lost_before_the_server_gives_its_locks_to_others()
    {
        await using var proxy = new PoolingProxy(Db.ConnectionString, PoolingProxy.Kind.Session, 0);
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
        await using var proxy = new PoolingProxy(Db.ConnectionString, PoolingProxy.Kind.Session, 0);
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
}
