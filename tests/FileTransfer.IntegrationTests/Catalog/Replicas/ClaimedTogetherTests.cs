using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Postgres;

namespace FileTransfer.IntegrationTests.Catalog.Replicas;

/// <summary>Small files are claimed and published together; each keeps its own lock, epoch and proof.</summary>
public sealed class ClaimedTogetherTests : IAsyncLifetime
{
    private QueueDatabase _db = null!;
    private LockConnection _session = null!;

    public async ValueTask InitializeAsync()
    {
        _db = await QueueDatabase.CreateAsync();
        _session = await _db.OpenAsync();
    }

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Fact]
    public async Task They_are_claimed_in_the_order_of_the_queue_each_under_its_own_lock()
    {
        var files = await WantAsync(10, 20, 30, 40);

        var claims = await ClaimAsync(3);

        claims.Select(claim => claim.Key).ShouldBe(files.Take(3).Select(file => file.Key), ignoreOrder: true);
        claims
            .Select(claim => (claim.Size, claim.Fingerprint))
            .ShouldBe(files.Take(3).Select(file => ((long)file.Content.Length, file.Fingerprint)), ignoreOrder: true);
        foreach (var claim in claims)
        {
            (await _session.ProveAsync(claim.LockKey, default)).ShouldBeTrue();
        }

        (await _db.StateAsync(files[3])).ShouldBe("wanted");
    }

    [Theory]
    [InlineData(1, 3_000_000, 1_000_000, 1_000_000)]
    [InlineData(0, 5_000_000, 10, 10)]
    [InlineData(0, 10, 5_000_000, 10)]
    [InlineData(2, 10, 10, 10)]
    public async Task They_have_four_mebibytes_at_most_but_one_is_always_claimed(int others, params int[] sizes)
    {
        var files = await WantAsync(sizes);

        var claims = await ClaimAsync(10);

        claims.Select(claim => claim.Key).ShouldBe(files.Take(1 + others).Select(file => file.Key), ignoreOrder: true);
        // The others were looked at, and are anyone's.
        foreach (var left in files.Skip(1 + others))
        {
            (await _db.StateAsync(left)).ShouldBe("wanted");
            (await _db.ValueAsync<DateTime?>(left, "next_attempt_at")).ShouldBeNull();
        }
    }

    [Fact]
    public async Task One_whose_lock_another_session_holds_is_left_out()
    {
        var files = await WantAsync(10, 10, 10);
        var other = await _db.OpenAsync("b/other");
        (await other.TryLockAsync(new AdvisoryLockKey(await _db.ValueAsync<long>(files[1], "lock_key")), default)).ShouldBeTrue();

        var claims = await ClaimAsync(10);

        claims.Select(claim => claim.Key).ShouldBe([files[0].Key, files[2].Key], ignoreOrder: true);
        (await _db.StateAsync(files[1])).ShouldBe("wanted");
    }

    [Fact]
    public async Task Only_those_whose_claim_still_stands_are_published_and_all_locks_are_let_go()
    {
        var files = await WantAsync(10, 10, 10, 10);
        var claims = await ClaimAsync(10);
        await using (var connection = await _db.Database.Pool.OpenConnectionAsync())
        {
            await ReplicaTransitions.RemoveAsync(connection, files[1].Key, default);
            await ReplicaTransitions.RemoveAsync(connection, files[2].Key, default);
            await ReplicaTransitions.WantAsync(connection, _db.Node, [files[2].Key], waitsForUpload: false, default);
        }

        var (published, next) = await _db.Queue.PublishAsync(_session, claims, claimNext: ClaimLimit.None, default);

        next.ShouldBeNull();
        published.ShouldBe([files[0].Key, files[3].Key], ignoreOrder: true);
        (await Task.WhenAll(files.Select(_db.StateAsync))).ShouldBe(["stored", "removing", "wanted", "stored"]);
        foreach (var claim in claims)
        {
            (await _session.ProveAsync(claim.LockKey, default)).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task A_lost_lock_keeps_its_file_from_being_published_and_no_other()
    {
        var files = await WantAsync(10, 10);
        var claims = await ClaimAsync(10);
        var lost = claims.Single(claim => claim.Key == files[0].Key);
        await _session.UnlockAsync(lost.LockKey, default);

        var (published, _) = await _db.Queue.PublishAsync(_session, claims, claimNext: ClaimLimit.None, default);

        published.ShouldBe([files[1].Key]);
        (await _db.StateAsync(files[0])).ShouldBe("downloading");
    }

    private async Task<List<TestFile>> WantAsync(params int[] sizes)
    {
        var files = new List<TestFile>();
        foreach (var size in sizes)
        {
            files.Add(await _db.WantAsync(size));
        }

        return files;
    }

    private async Task<IReadOnlyList<ClaimedReplica>> ClaimAsync(int together) =>
        (await _db.Queue.ClaimAsync(_session, new ClaimLimit(together, 4 * 1024 * 1024), default))
            .ShouldBeOfType<ClaimOutcome.Claimed>()
            .Replicas;
}
