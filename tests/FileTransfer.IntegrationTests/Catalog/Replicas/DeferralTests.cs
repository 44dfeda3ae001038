using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Postgres;

namespace FileTransfer.IntegrationTests.Catalog.Replicas;

/// <summary>What nobody has is not claimed, and is ready as soon as somebody has it.</summary>
public sealed class DeferralTests : IAsyncLifetime
{
    private static readonly ClaimLimit _anywhere = ClaimLimit.One with { AsksShares = true };

    private const string LocksSql = """
        SELECT count(*) FROM pg_locks
        WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """;

    private QueueDatabase _db = null!;
    private LockConnection _session = null!;

    public async ValueTask InitializeAsync()
    {
        _db = await QueueDatabase.CreateAsync();
        _session = await _db.OpenAsync();
    }

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Fact]
    public async Task A_claim_passes_what_nobody_has_and_says_why_it_waits()
    {
        var nowhere = await _db.WantAsync(storedAt: null);
        var here = await _db.WantAsync();

        (await ClaimAsync(ClaimLimit.One)).ShouldBeOfType<ClaimOutcome.Deferred>();

        (await _db.StateAsync(nowhere)).ShouldBe("wanted");
        (await _db.ValueAsync<string>(nowhere, "waits_for")).ShouldBe("provider");
        (await _db.ValueAsync<string>(nowhere, "reason")).ShouldBe("no other node has it stored");
        (await _db.ValueAsync<long>(nowhere, "epoch")).ShouldBe(1);
        (await _db.ValueAsync<bool>(nowhere, "next_attempt_at < now() + interval '1 second'")).ShouldBeTrue();
        (await _db.Test.ScalarAsync<long>(LocksSql)).ShouldBe(0);
        (await _db.ClaimAsync(_session)).Key.ShouldBe(here.Key);
    }

    [Fact]
    public async Task A_node_that_stores_it_makes_it_ready_at_once()
    {
        var file = await DeferredAsync();

        await StoreAsync(file, "a");
        await _db.Test.ExecuteAsync(
            ReplicaTransitions
                .WakeSql.Replace("@keys", $"ARRAY[{file.KeySql}]", StringComparison.Ordinal)
                .Replace("@node", "'a'", StringComparison.Ordinal)
        );

        (await _db.ClaimAsync(_session)).Key.ShouldBe(file.Key);
    }

    [Fact]
    public async Task A_node_that_stored_it_in_the_moment_of_the_deferral_is_found_a_moment_later()
    {
        var file = await DeferredAsync();
        var other = await DeferredAsync();

        await StoreAsync(file, "a");

        // 0.2 s after the deferral.
        await Eventually.HoldsAsync(async () => await _db.LookForProvidersAsync() == 1, "it is found");
        (await _db.ClaimAsync(_session)).Key.ShouldBe(file.Key);
        await Eventually.HoldsAsync(
            async () =>
            {
                await _db.LookForProvidersAsync();
                return await _db.ValueAsync<bool>(
                    other,
                    "next_attempt_at BETWEEN now() + interval '20 s' AND now() + interval '2 min'"
                );
            },
            "the other is looked for again, and more rarely"
        );
    }

    [Fact]
    public async Task Its_content_under_another_key_here_is_as_good_as_a_node_that_has_it()
    {
        var file = await DeferredAsync();
        var twin = TestFile.Of(10);
        await twin.AddAsync(_db.Test, "b");
        await _db.Test.ExecuteAsync(
            $"""
            UPDATE filetransfer.files f SET fingerprint = t.fingerprint FROM filetransfer.files t
            WHERE f.file_key = {file.KeySql} AND t.file_key = {twin.KeySql}
            """
        );

        await Eventually.HoldsAsync(async () => await _db.LookForProvidersAsync() == 1, "it is found");

        (await _db.ClaimAsync(_session)).Key.ShouldBe(file.Key);
    }

    [Fact]
    public async Task A_backlog_is_deferred_in_bulk_and_what_somebody_has_stays_in_its_place()
    {
        var here = await _db.WantAsync();
        await WantNowhereAsync(5000);
        var last = await _db.WantAsync();

        (await _db.DeferAsync()).ShouldBe(1999);
        (await _db.DeferAsync()).ShouldBe(1999);
        (await _db.DeferAsync()).ShouldBe(1002);
        (await _db.DeferAsync()).ShouldBe(0);

        (await _db.ClaimAsync(_session)).Key.ShouldBe(here.Key);
        (await _db.ClaimAsync(_session)).Key.ShouldBe(last.Key);
        (await ClaimAsync(ClaimLimit.One)).ShouldBeOfType<ClaimOutcome.Empty>();
    }

    [Fact]
    public async Task The_newest_is_claimed_before_a_backlog_by_the_share_of_the_lanes_that_asks_for_it()
    {
        await _db.WantAsync();
        await _db.WantAsync();
        var urgent = await _db.WantAsync();
        var newest = await _db.WantAsync();
        await _db.Test.ExecuteAsync($"UPDATE filetransfer.replicas SET priority = 1 WHERE file_key = {urgent.KeySql}");
        var room = ClaimLimit.One with { From = ClaimFrom.Newest };

        (await _db.ClaimAsync(_session, room)).Key.ShouldBe(urgent.Key);
        (await _db.ClaimAsync(_session, room)).Key.ShouldBe(newest.Key);
    }

    [Fact]
    public async Task Sources_that_do_not_say_what_they_have_are_asked_and_then_more_and_more_rarely()
    {
        var file = await _db.WantAsync(storedAt: null);
        (await ClaimAsync(_anywhere)).ShouldBeOfType<ClaimOutcome.Deferred>();
        (await ClaimAsync(_anywhere)).ShouldBeOfType<ClaimOutcome.Empty>();
        var claim = await _db.ClaimAsync(_session, _anywhere with { From = ClaimFrom.Unprovided });
        claim.Key.ShouldBe(file.Key);
        await _db.Test.ExecuteAsync("UPDATE filetransfer.replicas SET wanted_at = now() - interval '20 min'");

        var minute = TimeSpan.FromMinutes(1);
        (
            await _db.Queue.DeferAsync(_session, claim, WaitCondition.Provider, "the share has not got it", null, minute, default)
        ).ShouldBeTrue();

        (await _db.ValueAsync<string>(file, "waits_for")).ShouldBe("provider");
        (await _db.ValueAsync<int>(file, "attempts")).ShouldBe(0);
        (
            await _db.ValueAsync<bool>(file, "next_attempt_at BETWEEN now() + interval '9 min' AND now() + interval '31 min'")
        ).ShouldBeTrue();
        (await ClaimAsync(_anywhere with { From = ClaimFrom.Unprovided })).ShouldBeOfType<ClaimOutcome.Empty>();
    }

    [Fact]
    public async Task One_that_was_wanted_just_now_is_asked_for_again_as_soon_as_was_said()
    {
        var file = await _db.WantAsync(storedAt: null);
        (await ClaimAsync(_anywhere)).ShouldBeOfType<ClaimOutcome.Deferred>();
        var claim = await _db.ClaimAsync(_session, _anywhere with { From = ClaimFrom.Unprovided });
        await _db.Test.ExecuteAsync("UPDATE filetransfer.replicas SET wanted_at = now()");

        var wait = TimeSpan.FromSeconds(3);
        (
            await _db.Queue.DeferAsync(_session, claim, WaitCondition.Provider, "it is on its way there", null, wait, default)
        ).ShouldBeTrue();

        (await _db.ValueAsync<bool>(file, "next_attempt_at < changed_at + interval '25 s'")).ShouldBeTrue();
    }

    [Fact]
    public async Task What_somebody_asks_for_is_looked_for_at_such_sources_in_its_turn()
    {
        await WantNowhereAsync(3);
        var asked = await _db.WantAsync(storedAt: null);
        await _db.Test.ExecuteAsync($"UPDATE filetransfer.replicas SET priority = 1 WHERE file_key = {asked.KeySql}");

        (await _db.DeferAsync(asksShares: true)).ShouldBe(3);

        (await _db.ClaimAsync(_session, _anywhere)).Key.ShouldBe(asked.Key);
    }

    private Task<ClaimOutcome> ClaimAsync(ClaimLimit room) => _db.Queue.ClaimAsync(_session, room, default);

    private async Task<TestFile> DeferredAsync()
    {
        var file = await _db.WantAsync(storedAt: null);
        (await ClaimAsync(ClaimLimit.One)).ShouldBeOfType<ClaimOutcome.Deferred>();
        return file;
    }

    private Task StoreAsync(TestFile file, string node) => new ForgedReplica(node, ReplicaState.Stored).AddAsync(_db.Test, file);

    private Task WantNowhereAsync(int files) => Backlog.AddAsync(_db.Test, "b", files);
}
