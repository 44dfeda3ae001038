using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Catalog.Replicas;

/// <summary>Per node and file at most one download publishes: the lock excludes, the epoch fences.</summary>
public sealed class OnePublisherTests : IAsyncLifetime
{
    private QueueDatabase _db = null!;

    public async ValueTask InitializeAsync() => _db = await QueueDatabase.CreateAsync();

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Fact]
    public async Task A_claim_takes_lock_epoch_and_holder_in_one_round_trip()
    {
        var file = await _db.WantAsync();
        await using var wire = new DatabaseWire(_db.Test.ConnectionString);
        await using var database = new Database(
            new DatabaseSource(wire.ConnectionString, null),
            NullLoggerFactory.Instance,
            TimeProvider.System
        );
        await using var session = await database.OpenSessionAsync("b/lane-1", default);
        var before = wire.RoundTrips;

        var claim = await _db.ClaimAsync(session);

        (wire.RoundTrips - before).ShouldBe(1);
        claim.Key.ShouldBe(file.Key);
        claim.Epoch.ShouldBe(2);
        (await session.ProveAsync(claim.LockKey, default)).ShouldBeTrue();
        (await _db.ValueAsync<int>(file, "holder_pid")).ShouldBe(session.BackendPid);
        (await _db.ValueAsync<string>(file, "holder")).ShouldBe("b/lane-1");
        (await _db.StateAsync(file)).ShouldBe("downloading");
    }

    [Fact]
    public async Task Sessions_that_claim_at_once_never_get_the_same_file()
    {
        const int files = 40;
        for (var i = 0; i < files; i++)
        {
            await _db.WantAsync();
        }

        var sessions = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => _db.OpenAsync($"b/lane-{i}")));
        var claimed = await Task.WhenAll(sessions.Select(DrainAsync));

        var keys = claimed.SelectMany(claims => claims).Select(claim => claim.Key).ToList();
        keys.Distinct().Count().ShouldBe(files);
        keys.Count.ShouldBe(files);
    }

    [Fact]
    public async Task A_file_whose_lock_is_held_does_not_block_the_head_of_the_queue()
    {
        var held = await _db.WantAsync();
        var next = await _db.WantAsync();
        var session = await _db.OpenAsync();
        var claim = await _db.ClaimAsync(session);
        // As after a removal and a new Add during a download: wanted again, while the former download still holds the lock.
        await _db.Test.ExecuteAsync(
            $"UPDATE filetransfer.replicas SET state = 'wanted', epoch = epoch + 1 WHERE node_id = 'b' AND file_key = {held.KeySql}"
        );
        var other = await _db.OpenAsync("b/lane-2");

        (await _db.Queue.ClaimAsync(other, ClaimLimit.One, default)).ShouldBeOfType<ClaimOutcome.Busy>();
        (await _db.ClaimAsync(other)).Key.ShouldBe(next.Key);

        (await _db.ValueAsync<string>(held, "reason")).ShouldBe("its lock is held by a session that has not let go yet");
        (await _db.PublishAsync(session, claim)).ShouldBeFalse();
        await FileTransfer.IntegrationTests.Testbed.Nodes.Eventually.HoldsAsync(
            async () => await _db.UpkeepAsync() > 0,
            "it is ready again after its pause"
        );
        (await _db.ClaimAsync(other)).Epoch.ShouldBe(claim.Epoch + 2);
    }

    [Fact]
    public async Task Whoever_has_the_wrong_epoch_changes_nothing()
    {
        var file = await _db.WantAsync();
        var session = await _db.OpenAsync();
        var claim = await _db.ClaimAsync(session);
        var stale = claim with { Epoch = claim.Epoch - 1, LockKey = new AdvisoryLockKey(1) };

        await RefusesAsync(session, stale);

        (await _db.StateAsync(file)).ShouldBe("downloading");
        (await _db.PublishAsync(session, claim)).ShouldBeTrue();
    }

    [Fact]
    public async Task Whoever_does_not_hold_the_lock_changes_nothing()
    {
        var file = await _db.WantAsync();
        var holder = await _db.OpenAsync();
        var claim = await _db.ClaimAsync(holder);
        var other = await _db.OpenAsync("b/lane-2");

        await RefusesAsync(other, claim);
        (await _db.StateAsync(file)).ShouldBe("downloading");

        // Also not the session that claimed it, once its lock is gone.
        await holder.UnlockAsync(claim.LockKey, default);
        await RefusesAsync(holder, claim);
        (await _db.StateAsync(file)).ShouldBe("downloading");
    }

    [Theory]
    [InlineData("wanted")]
    [InlineData("stored")]
    [InlineData("removing")]
    [InlineData("failed")]
    [InlineData("paused")]
    public async Task A_replica_that_left_downloading_cannot_be_ended_by_its_download(string state)
    {
        var file = await _db.WantAsync();
        var session = await _db.OpenAsync();
        var claim = await _db.ClaimAsync(session);
        await SetStateAsync(file, state);
        var before = await RowAsync(file);

        (await _db.Queue.ReportProgressAsync(session, claim, 1, default)).ShouldBeNull();
        (await _db.PublishAsync(session, claim)).ShouldBeFalse();
        await session.TryLockAsync(claim.LockKey, default);
        (await _db.Queue.FailAsync(session, claim, FailureCause.WrongBytes, "why", 1, default)).ShouldBeFalse();
        await session.TryLockAsync(claim.LockKey, default);
        (await _db.Queue.RetryAsync(session, claim, "why", 1, true, TimeSpan.Zero, default)).ShouldBeFalse();

        (await RowAsync(file)).ShouldBe(before);
        (await session.ProveAsync(claim.LockKey, default)).ShouldBeFalse("the lock is let go of all the same");
    }

    [Theory]
    [InlineData("downloading")]
    [InlineData("stored")]
    [InlineData("removing")]
    [InlineData("failed")]
    [InlineData("paused")]
    public async Task Only_a_wanted_replica_can_be_claimed(string state)
    {
        var file = await _db.WantAsync();
        await SetStateAsync(file, state);

        (await _db.Queue.ClaimAsync(await _db.OpenAsync(), ClaimLimit.One, default)).ShouldBeOfType<ClaimOutcome.Empty>();
        (await _db.StateAsync(file)).ShouldBe(state);
    }

    [Theory]
    [InlineData("wanted")]
    [InlineData("downloading")]
    [InlineData("stored")]
    [InlineData("failed")]
    [InlineData("paused")]
    public async Task Only_a_removing_replica_is_deleted(string state)
    {
        var file = await _db.WantAsync();
        var session = await _db.OpenAsync();
        await SetStateAsync(file, state);
        (await _db.Queue.ClaimRemovingAsync(session, default)).ShouldBeOfType<ClaimOutcome.Empty>();

        await SetStateAsync(file, "removing");
        var claim = (await _db.Queue.ClaimRemovingAsync(session, default))
            .ShouldBeOfType<ClaimOutcome.Claimed>()
            .Replicas.ShouldHaveSingleItem();
        await SetStateAsync(file, state);

        (await _db.Queue.StepOfRemovingAsync(session, claim, TimeSpan.Zero, default)).ShouldBe(RemovalStep.None);
        (await _db.Queue.DeleteRemovedAsync(session, claim, default)).ShouldBeFalse();
        (await _db.StateAsync(file)).ShouldBe(state);
    }

    [Fact]
    public async Task A_removal_waits_for_the_lock_of_the_download()
    {
        var file = await _db.WantAsync();
        var lane = await _db.OpenAsync();
        var removal = await _db.OpenAsync("b/removal");
        var claim = await _db.ClaimAsync(lane);
        await _db.RemoveAsync(file);

        (await _db.Queue.ClaimRemovingAsync(removal, default)).ShouldBeOfType<ClaimOutcome.Busy>();
        (await _db.PublishAsync(lane, claim)).ShouldBeFalse();

        ClaimedReplica? removing = null;
        await FileTransfer.IntegrationTests.Testbed.Nodes.Eventually.HoldsAsync(
            async () =>
            {
                removing = (await _db.Queue.ClaimRemovingAsync(removal, default) as ClaimOutcome.Claimed)?.Replicas[0];
                return removing is not null;
            },
            "the removal gets the lock"
        );
        (await _db.Queue.StepOfRemovingAsync(removal, removing!, TimeSpan.Zero, default)).ShouldBe(RemovalStep.Delete);
        (await _db.Queue.DeleteRemovedAsync(lane, removing!, default)).ShouldBeFalse();
        (await _db.Queue.DeleteRemovedAsync(removal, removing!, default)).ShouldBeTrue();
        (await _db.StateAsync(file)).ShouldBeNull();
    }

    [Fact]
    public async Task A_download_whose_holder_is_terminated_is_taken_over_with_a_new_epoch_and_what_it_proved_is_kept()
    {
        var file = await _db.WantAsync();
        var lost = await _db.OpenAsync("b/lane-1");
        var claim = await _db.ClaimAsync(lost);
        (await _db.Queue.ReportProgressAsync(lost, claim, 7, default)).ShouldNotBeNull();
        (await _db.UpkeepAsync()).ShouldBe(0);

        await _db.Test.TerminateAsync(lost.BackendPid);

        (await _db.UpkeepAsync()).ShouldBe(1);
        (await _db.ValueAsync<string>(file, "reason")).ShouldBe("its holder b/lane-1 was lost");
        (await _db.ValueAsync<long>(file, "bytes_proven")).ShouldBe(7);
        var heir = await _db.OpenAsync("b/lane-2");
        var taken = await _db.ClaimAsync(heir);
        taken.Epoch.ShouldBe(claim.Epoch + 1);
        await Should.ThrowAsync<LockConnectionLostException>(() => _db.PublishAsync(lost, claim));
        (await _db.PublishAsync(heir, claim)).ShouldBeFalse();
        await heir.TryLockAsync(taken.LockKey, default);
        (await _db.PublishAsync(heir, taken)).ShouldBeTrue();
        (await _db.StateAsync(file)).ShouldBe("stored");
    }

    [Fact]
    public async Task A_publication_that_claims_the_next_holds_one_lock_and_not_that_of_the_former()
    {
        var first = await _db.WantAsync();
        var second = await _db.WantAsync();
        var session = await _db.OpenAsync();
        var claim = await _db.ClaimAsync(session);

        var (published, next) = await _db.Queue.PublishAsync(session, [claim], claimNext: ClaimLimit.One, default);

        published.ShouldBe([claim.Key]);
        var claimed = next.ShouldBeOfType<ClaimOutcome.Claimed>().Replicas.ShouldHaveSingleItem();
        claimed.Key.ShouldBe(second.Key);
        (await session.ProveAsync(claim.LockKey, default)).ShouldBeFalse();
        (await session.ProveAsync(claimed.LockKey, default)).ShouldBeTrue();
        (await _db.StateAsync(first)).ShouldBe("stored");
        (await _db.StateAsync(second)).ShouldBe("downloading");
    }

    private async Task RefusesAsync(LockConnection session, ClaimedReplica claim)
    {
        (await _db.Queue.ReportProgressAsync(session, claim, 5, default)).ShouldBeNull();
        (await _db.PublishAsync(session, claim)).ShouldBeFalse();
        (await _db.Queue.FailAsync(session, claim, FailureCause.WrongBytes, "why", 5, default)).ShouldBeFalse();
        (await _db.Queue.RetryAsync(session, claim, "why", 5, true, TimeSpan.Zero, default)).ShouldBeFalse();
        (await _db.Queue.StepOfRemovingAsync(session, claim, TimeSpan.Zero, default)).ShouldBe(RemovalStep.None);
        (await _db.Queue.DeleteRemovedAsync(session, claim, default)).ShouldBeFalse();
    }

    private async Task<List<ClaimedReplica>> DrainAsync(LockConnection session)
    {
        var claims = new List<ClaimedReplica>();
        while (await _db.Queue.ClaimAsync(session, ClaimLimit.One, default) is { } outcome and not ClaimOutcome.Empty)
        {
            if (outcome is ClaimOutcome.Claimed { Replicas: [var claim] })
            {
                claims.Add(claim);
                (await _db.PublishAsync(session, claim)).ShouldBeTrue();
            }
        }

        return claims;
    }

    private Task SetStateAsync(TestFile file, string state) =>
        _db.Test.ExecuteAsync(
            $"UPDATE filetransfer.replicas SET state = '{state}', next_attempt_at = NULL WHERE node_id = 'b' AND file_key = {file.KeySql}"
        );

    private Task<string?> RowAsync(TestFile file) =>
        _db.Test.ScalarAsync<string>(
            $"SELECT r::text FROM filetransfer.replicas r WHERE node_id = 'b' AND file_key = {file.KeySql}"
        );
}
