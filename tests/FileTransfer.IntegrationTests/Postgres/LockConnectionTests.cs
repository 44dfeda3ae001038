using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Postgres;

/// <summary>Who holds a lock can prove it, and nobody else can.</summary>
public sealed class LockConnectionTests : LockConnectionFacts
{
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
            await Db.ScalarAsync<string>(
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
        await Eventually.HoldsAsync(() => other.TryLockAsync(Key, default), "another has the lock");
    }

    [Fact]
    public async Task Unlocking_what_is_not_held_gives_the_session_up()
    {
        await using var session = await OpenAsync();
        await Should.ThrowAsync<LockConnectionLostException>(() => session.UnlockAsync(Key, default));
        await FiredAsync(session.Lost);
    }

    [Fact]
    public async Task Closing_leaves_no_lock_and_no_backend()
    {
        var session = await OpenAsync();
        (await session.TryLockAsync(Key, default)).ShouldBeTrue();
        await session.DisposeAsync();

        session.Lost.IsCancellationRequested.ShouldBeTrue();
        (
            await Db.ScalarAsync<long>(
                $"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = {session.BackendPid}"
            )
        ).ShouldBe(0);
        await Eventually.HoldsAsync(
            async () =>
                await Db.ScalarAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE pid = {session.BackendPid}") == 0,
            "its backend is gone"
        );
    }
}
