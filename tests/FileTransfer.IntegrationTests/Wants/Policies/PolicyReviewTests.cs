using FileTransfer.Catalog.Replicas;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.Wants.Policies;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Wants.Policies;

/// <summary>What a policy does to the replicas of its node, from every state they can be in.</summary>
public sealed class PolicyReviewTests : IAsyncLifetime
{
    private static readonly Policy _nothing = PolicyDatabase.Policy("nothing-except");

    private PolicyDatabase _db = null!;

    public async ValueTask InitializeAsync() => _db = await PolicyDatabase.CreateAsync();

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Theory]
    [InlineData(ReplicaState.Wanted)]
    [InlineData(ReplicaState.Downloading)]
    [InlineData(ReplicaState.Failed)]
    [InlineData(ReplicaState.Paused)]
    public async Task A_policy_that_narrows_withdraws_what_is_not_stored_and_fences_what_is_under_way(ReplicaState from)
    {
        var file = await _db.FileAsync(from, epoch: 5);

        (await _db.FollowAsync(_nothing)).Withdrawn.ShouldBe(1);

        (await _db.StateAsync(file)).ShouldBe("removing");
        ReplicaTransitions.IsAllowed(from, ReplicaState.Removing).ShouldBeTrue();
        (await _db.Queue.ValueAsync<long>(file, "epoch")).ShouldBe(6);
        (await _db.Queue.ValueAsync<string>(file, "reason"))!.ShouldContain("policy");
    }

    [Theory]
    [InlineData(ReplicaState.Stored, "stored")]
    [InlineData(ReplicaState.Removing, "removing")]
    [InlineData(null, null)]
    public async Task A_policy_that_narrows_leaves_the_rest_alone(ReplicaState? from, string? after)
    {
        var file = await _db.FileAsync(from);

        (await _db.FollowAsync(_nothing)).IsNothing.ShouldBeTrue();

        (await _db.StateAsync(file)).ShouldBe(after);
    }

    [Fact]
    public async Task A_download_that_never_began_has_nothing_to_delete_and_is_just_gone()
    {
        var file = await _db.FileAsync(ReplicaState.Wanted, epoch: 1);

        (await _db.FollowAsync(_nothing)).Withdrawn.ShouldBe(1);

        (await _db.StateAsync(file)).ShouldBeNull();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(ReplicaState.Removing)]
    public async Task A_policy_that_widens_wants_what_it_lacks(ReplicaState? from)
    {
        var file = await _db.FileAsync(from);
        await _db.FollowAsync(_nothing);

        (await _db.FollowAsync(Policy.Everything)).Wanted.ShouldBe(1);

        (await _db.StateAsync(file)).ShouldBe("wanted");
        (await _db.Queue.ValueAsync<long>(file, "epoch")).ShouldBe(from is null ? 1 : 6);
    }

    [Fact]
    public async Task A_policy_that_widens_wants_nothing_that_is_not_in_the_cluster()
    {
        var (removed, registered) = (await _db.FileAsync(null), await _db.FileAsync(null));
        await _db.ExecuteAsync($"UPDATE filetransfer.files SET state = 'removed' WHERE file_key = {removed.KeySql}");
        await _db.ExecuteAsync($"UPDATE filetransfer.files SET state = 'registered' WHERE file_key = {registered.KeySql}");

        (await _db.FollowAsync(Policy.Everything)).IsNothing.ShouldBeTrue();

        (await _db.StateAsync(removed)).ShouldBeNull();
        (await _db.StateAsync(registered)).ShouldBeNull();
    }

    [Fact]
    public async Task Only_what_the_filters_tell_apart_is_changed_and_other_buckets_are_not()
    {
        var (photo, other) = (await _db.FileAsync(ReplicaState.Wanted), await _db.FileAsync(ReplicaState.Wanted));
        var elsewhere = await _db.FileAsync(ReplicaState.Wanted);
        await _db.ExecuteAsync(@$"UPDATE filetransfer.files SET bucket = '\x03' WHERE file_key = {elsewhere.KeySql}");

        var effect = await _db.FollowAsync(PolicyDatabase.Policy("nothing-except", $"exact:utf8:{photo.Location}"));

        effect.Withdrawn.ShouldBe(1);
        (await _db.StateAsync(photo)).ShouldBe("wanted");
        (await _db.StateAsync(other)).ShouldBe("removing");
        (await _db.StateAsync(elsewhere)).ShouldBe("wanted");
    }

    [Fact]
    public async Task What_somebody_asked_for_by_name_or_intends_is_not_withdrawn_and_an_ended_intent_holds_nothing()
    {
        var asked = await _db.FileAsync(ReplicaState.Downloading, pinned: true);
        var (intended, ended) = (await _db.FileAsync(ReplicaState.Downloading), await _db.FileAsync(ReplicaState.Downloading));
        await _db.IntendAsync(intended);
        await _db.IntendAsync(ended, open: false);

        (await _db.FollowAsync(_nothing)).Withdrawn.ShouldBe(1);

        (await _db.StateAsync(asked)).ShouldBe("downloading");
        (await _db.StateAsync(intended)).ShouldBe("downloading");
        (await _db.StateAsync(ended)).ShouldBe("removing");
    }

    [Fact]
    public async Task Pruning_drops_what_another_living_node_has_and_keeps_the_last_copy()
    {
        var file = await _db.FileAsync(ReplicaState.Stored, pinned: true);
        var (only, deadOnly, intended) = (
            await _db.FileAsync(ReplicaState.Stored),
            await _db.FileAsync(ReplicaState.Stored),
            await _db.FileAsync(ReplicaState.Stored)
        );
        await _db.IntendAsync(intended);
        await _db.ExecuteAsync(
            $"UPDATE filetransfer.replicas SET state = 'downloading' WHERE node_id = 'a' AND file_key = {only.KeySql}"
        );
        await _db.SeenAsync("dead", secondsAgo: 60);
        await _db.ExecuteAsync(
            $"UPDATE filetransfer.replicas SET node_id = 'dead' WHERE node_id = 'a' AND file_key = {deadOnly.KeySql}"
        );

        // A node that a clock which was ahead called alive for a year, and one that a clock which went back seems to have heard of just now.
        var aheadOnly = await _db.FileAsync(ReplicaState.Stored);
        var backOnly = await _db.FileAsync(ReplicaState.Stored);
        await _db.SeenAsync("ahead", secondsAgo: -31_536_000);
        await _db.SeenAsync("back");
        await _db.ExecuteAsync(
            $"""
            UPDATE filetransfer.replicas SET node_id = 'ahead' WHERE node_id = 'a' AND file_key = {aheadOnly.KeySql};
            UPDATE filetransfer.replicas SET node_id = 'back' WHERE node_id = 'a' AND file_key = {backOnly.KeySql};
            UPDATE filetransfer.nodes SET presence_lock = 42 WHERE node_id = 'back'
            """
        );

        var effect = await _db.FollowAsync(_nothing, prunes: true);

        effect.Pruned.ShouldBe(1);
        effect.Kept.ShouldBe(4);
        effect.KeptKeys.ShouldBe([only.Key, deadOnly.Key, aheadOnly.Key, backOnly.Key], ignoreOrder: true);
        (await _db.StateAsync(file)).ShouldBe("removing");
        (await _db.Queue.ValueAsync<bool>(file, "pinned")).ShouldBeFalse();
        foreach (var kept in new[] { only, deadOnly, aheadOnly, backOnly, intended })
        {
            (await _db.StateAsync(kept)).ShouldBe("stored");
        }
    }

    [Fact]
    public async Task Two_nodes_that_prune_the_same_files_at_once_leave_one_copy_of_each()
    {
        for (var round = 0; round < 10; round++)
        {
            var files = new List<FileKey>();
            for (var i = 0; i < 20; i++)
            {
                files.Add((await _db.FileAsync(ReplicaState.Stored)).Key);
            }

            var a = new NodeId("a");
            await new NodePolicies(_db.Queue.Database, a).SetAsync(PolicyDatabase.Bucket, _nothing, prunes: false, default);
            await _db.Policies.SetAsync(PolicyDatabase.Bucket, _nothing, prunes: false, default);
            await _db.SeenAsync("a");
            await _db.SeenAsync("b");

            var effects = await Task.WhenAll(
                Task.Run(() =>
                    new PolicyReview(_db.Queue.Database, new ReplicaChanges(), a).RunAsync(
                        PolicyDatabase.Bucket,
                        prunes: true,
                        default
                    )
                ),
                Task.Run(() => _db.Review.RunAsync(PolicyDatabase.Bucket, prunes: true, default))
            );

            (await _db.CountAsync("state = 'stored'")).ShouldBe(files.Count);
            effects.Sum(effect => effect.Pruned).ShouldBe(files.Count);
            await _db.ExecuteAsync("DELETE FROM filetransfer.replicas; DELETE FROM filetransfer.files");
        }
    }

    [Fact]
    public async Task Content_that_is_lost_is_wanted_again_only_where_it_is_wanted()
    {
        var (kept, asked, unwanted) = (
            await _db.FileAsync(ReplicaState.Stored),
            await _db.FileAsync(ReplicaState.Stored, pinned: true),
            await _db.FileAsync(ReplicaState.Stored)
        );
        await _db.FollowAsync(PolicyDatabase.Policy("nothing-except", $"exact:utf8:{kept.Location}"));
        var replicas = new ReplicaTransitions(_db.Queue.Database);

        (await LoseAsync(kept)).ShouldBe(ReplicaState.Wanted);
        (await LoseAsync(asked)).ShouldBe(ReplicaState.Wanted);
        (await LoseAsync(unwanted)).ShouldBe(ReplicaState.Removing);
        (await LoseAsync(unwanted)).ShouldBeNull();

        async Task<ReplicaState?> LoseAsync(TestFile file) =>
            await replicas.MarkMissingAsync(_db.Queue.Node, file.Fingerprint, "lost", default) is [var lost] ? lost.State : null;
    }

    [Fact]
    public async Task A_policy_that_wants_everything_is_forgotten_once_it_has_taken_effect()
    {
        await _db.FollowAsync(_nothing);
        (await _db.Policies.AllAsync(default)).ShouldHaveSingleItem().IsReviewDue.ShouldBeFalse();
        (await _db.Policies.DueAsync(default)).ShouldBeNull();

        var written = await _db.Policies.SetAsync(PolicyDatabase.Bucket, Policy.Everything, prunes: false, default);
        (await _db.Policies.DueAsync(default)).ShouldNotBeNull().Bucket.ShouldBe(PolicyDatabase.Bucket);
        (await _db.Policies.ReviewedAsync(written, default)).ShouldBeTrue();

        (await _db.Policies.AllAsync(default)).ShouldBeEmpty();
        (await _db.Policies.GetAsync(PolicyDatabase.Bucket, default)).ChangedAt.ShouldBeNull();
    }

    [Fact]
    public async Task A_review_of_a_policy_that_was_overtaken_does_not_count_for_the_new_one()
    {
        var first = await _db.Policies.SetAsync(PolicyDatabase.Bucket, _nothing, prunes: false, default);
        await _db.Policies.SetAsync(PolicyDatabase.Bucket, Policy.Everything, prunes: false, default);

        (await _db.Policies.ReviewedAsync(first, default)).ShouldBeFalse();

        (await _db.Policies.DueAsync(default)).ShouldNotBeNull().Bucket.ShouldBe(PolicyDatabase.Bucket);
    }

    [Fact]
    public async Task A_change_that_was_cut_off_goes_on_where_it_was_with_what_it_was_to_prune()
    {
        // Both nodes have all of them, so that each may be pruned here; two pages and a half.
        await _db.ManyFilesAsync(5_000);
        await _db.ExecuteAsync(
            """
            INSERT INTO filetransfer.replicas (node_id, file_key, state)
            SELECT node_id, file_key, 'stored' FROM filetransfer.files, (VALUES ('a'), ('b')) AS nodes(node_id)
            """
        );
        var policies = Changes();
        (var policy, var effect) = await policies.SetAsync(PolicyDatabase.Bucket, _nothing, prunes: true, TimeSpan.Zero, default);
        policy.IsReviewDue.ShouldBeTrue("nobody has taken a step yet");
        effect.IsNothing.ShouldBeTrue();
        (await policies.StepAsync(default)).ShouldBeTrue();
        (await policies.GetAsync(PolicyDatabase.Bucket, default)).Effect.Pruned.ShouldBe(2_000);

        // Another process of the node, after a kill.
        var resumed = Changes();
        await resumed.ReviewAllAsync(default);
        (await resumed.StepAsync(default)).ShouldBeTrue();
        (await resumed.StepAsync(default)).ShouldBeTrue();
        (await resumed.StepAsync(default)).ShouldBeFalse();

        (policy, effect) = await resumed.GetAsync(PolicyDatabase.Bucket, default);
        policy.IsReviewDue.ShouldBeFalse();
        effect.Reviewed.ShouldBe(3_000, "what was reviewed before is not reviewed again");
        effect.Pruned.ShouldBe(3_000);
        (await _db.CountAsync("node_id = 'b' AND state = 'stored'")).ShouldBe(0);
    }

    [Fact]
    public async Task Another_change_midway_begins_from_the_first_file_and_the_one_before_is_done_with()
    {
        await _db.ManyFilesAsync(5_000);
        var policies = Changes();
        var first = policies.SetAsync(
            PolicyDatabase.Bucket,
            PolicyDatabase.Policy("nothing-except", "prefix:utf8:file 1"),
            prunes: false,
            TimeSpan.FromMinutes(1),
            default
        );
        await Eventually.HoldsAsync(() => policies.StepAsync(default), "the first step is taken");

        var second = policies.SetAsync(PolicyDatabase.Bucket, _nothing, prunes: false, TimeSpan.FromMinutes(1), default);
        (await first).Policy.IsReviewDue.ShouldBeTrue("it was overtaken");
        await Eventually.HoldsAsync(async () => !await policies.StepAsync(default) && second.IsCompleted, "it is applied");

        (await second).Policy.IsReviewDue.ShouldBeFalse();
        (await second).Effect.Reviewed.ShouldBe(5_000);
        (await _db.CountAsync("node_id = 'b'")).ShouldBe(0, "what the first change wanted is withdrawn");
    }

    private PolicyChanges Changes() =>
        new(_db.Policies, _db.Review, new QueueSignal(), _db.Queue.Node, TimeProvider.System, NullLogger<PolicyChanges>.Instance);
}
