using Dapper;
using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>Each replica that is not stored says why, and what ends its wait.</summary>
public sealed class EveryWaitIsExplainedAndEndsTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    [Fact]
    public async Task A_file_that_nobody_has_says_so_and_is_fetched_when_somebody_has_it()
    {
        var file = TestFile.Of(200_000);
        await file.WantAtAsync(cluster.Follower);
        await cluster.ReplicaIsAsync(file, "wanted", "no other node has it stored");
        // It is looked at once more a moment later.
        await Eventually.HoldsAsync(
            async () =>
                (await cluster.ReplicaAsync(file))!.Value.GetProperty("nextAttemptAt").GetDateTimeOffset()
                > DateTimeOffset.UtcNow.AddSeconds(5),
            "it says when it is looked for again"
        );
        (await cluster.ReplicaAsync(file))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);

        await cluster.Leader.PutAsync(file.Content, file.Location);

        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task A_failed_file_is_tried_again_when_a_node_stores_it()
    {
        await using var source = await cluster.StartSourceAsync();
        source.Status = 500;
        var file = await source.OfferAsync(TestFile.Of(200_000));
        await file.WantAtAsync(cluster.Follower);
        await cluster.ReplicaIsAsync(file, "failed", "answered 500");

        // The leader registers it and takes its content: a new source.
        await file.WantAtAsync(cluster.Leader);
        await cluster.Leader.PutAsync(file.Content, file.Location);

        await cluster.StoredAsync(file);
        (await cluster.ReplicaAsync(file))!.Value.GetProperty("reason").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
    }

    [Fact]
    public async Task A_failed_file_is_tried_again_when_a_person_registers_it_again()
    {
        await using var source = await cluster.StartSourceAsync();
        source.Status = 500;
        var file = await source.OfferAsync(TestFile.Of(200_000));
        await file.WantAtAsync(cluster.Follower);
        await cluster.ReplicaIsAsync(file, "failed", "answered 500");

        source.Status = null;
        await file.WantAtAsync(cluster.Follower);

        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task A_file_whose_only_source_is_away_waits_for_it_without_end_and_comes_when_it_is_back_at_another_address()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(200_000));
        var url = await cluster.Database.ScalarAsync<string>($"SELECT url FROM filetransfer.nodes WHERE node_id = '{source.Id}'");
        await cluster.Database.ExecuteAsync(
            $"UPDATE filetransfer.nodes SET url = 'http://127.0.0.1:1/' WHERE node_id = '{source.Id}'"
        );
        await file.WantAtAsync(cluster.Follower);
        await cluster.ReplicaIsAsync(
            file,
            "wanted",
            $"node '{source.Id}' at http://127.0.0.1:1/ cannot be read from: Connection refused"
        );
        (
            await cluster.Database.ScalarAsync<string>(
                $"SELECT waits_for FROM filetransfer.replicas WHERE node_id = 'b' AND file_key = {file.KeySql}"
            )
        ).ShouldBe("source");
        (await cluster.ReplicaAsync(file))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);

        await cluster.Database.ExecuteAsync($"UPDATE filetransfer.nodes SET url = '{url}' WHERE node_id = '{source.Id}'");

        await cluster.StoredAsync(file);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_source_that_appears_during_the_last_attempt_is_not_missed(bool isSpent)
    {
        await using var db = await QueueDatabase.CreateAsync();
        var file = await db.WantAsync();
        var session = await db.OpenAsync();
        var claim = await db.ClaimAsync(session);
        await new ForgedReplica("c", ReplicaState.Stored).AddAsync(db.Test, file);

        var given = isSpent
            ? db.Queue.FailAsync(session, claim, FailureCause.WrongBytes, "node 'a' lied", 3, default)
            : db.Queue.RetryAsync(session, claim, "no other node has it stored", 3, false, TimeSpan.FromSeconds(30), default);
        (await given).ShouldBeTrue();

        (await db.StateAsync(file)).ShouldBe("wanted");
        var again = await db.ClaimAsync(session);
        again.Attempts.ShouldBe(0);
        (await db.Queue.FailAsync(session, again, FailureCause.WrongBytes, "node 'a' lied", 3, default)).ShouldBeTrue();
        (await db.StateAsync(file)).ShouldBe("failed", "it was there before this attempt");
    }

    [Fact]
    public async Task An_upload_that_is_being_committed_while_a_claim_without_a_source_ends_is_not_missed()
    {
        await using var db = await QueueDatabase.CreateAsync();
        var file = await db.WantAsync(storedAt: null);
        await using var connection = await db.Database.Pool.OpenConnectionAsync();
        await using var upload = await connection.BeginTransactionAsync();
        await FileCatalog.LockAsync(connection, file.Key, default);
        await connection.ExecuteAsync(new ForgedNode("c").Sql);
        await connection.ExecuteAsync(new ForgedReplica("c", ReplicaState.Stored).SqlOf(file));
        var session = await db.OpenAsync();
        var anywhere = ClaimLimit.One with { AsksShares = true };
        (await db.Queue.ClaimAsync(session, anywhere, default)).ShouldBeOfType<ClaimOutcome.Deferred>();
        var claim = await db.ClaimAsync(session, anywhere with { From = ClaimFrom.Unprovided });
        claim.Providers.Nodes.ShouldBeEmpty();
        var delay = TimeSpan.FromSeconds(30);
        var given = db.Queue.RetryAsync(session, claim, "no other node has it stored", null, false, delay, default);
        await Eventually.HoldsAsync(
            async () => await db.Test.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"),
            "the end of the claim waits for the upload"
        );

        await upload.CommitAsync();

        (await given).ShouldBeTrue();
        (await db.StateAsync(file)).ShouldBe("wanted");
        (await db.ClaimAsync(session)).Providers.Nodes.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_file_waits_at_the_leader_for_its_upload_and_says_so()
    {
        var file = TestFile.Of(1000);
        await file.WantAtAsync(cluster.Leader);
        var replica = (await cluster.Leader.GetJsonAsync($"/v1/files/{file.Key}")).GetProperty("replicas")[0];
        replica.GetProperty("state").GetString().ShouldBe("wanted");
        replica.GetProperty("reason").GetString().ShouldBe(ReplicaTransitions.WaitsForUpload);

        await cluster.Leader.PutAsync(file.Content, file.Location);
        await TestCluster.StoredAsync(cluster.Follower, file.Key.ToString());
    }

    [Fact]
    public async Task A_transfer_whose_session_is_terminated_is_done_by_the_next_claim()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(2_000_000));
        source.BytesPerSecond = 200_000;
        await file.WantAtAsync(cluster.Follower);
        await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent > 400_000), "it downloads");
        var epoch = (await cluster.ReplicaAsync(file))!.Value.GetProperty("epoch").GetInt64();

        await cluster.Database.TerminateAsync(
            await cluster.Database.ScalarAsync<int>(
                $"SELECT holder_pid FROM filetransfer.replicas WHERE node_id = 'b' AND file_key = {file.KeySql}"
            )
        );
        source.BytesPerSecond = 0;

        await cluster.StoredAsync(file);
        (await cluster.ReplicaAsync(file))!.Value.GetProperty("epoch").GetInt64().ShouldBe(epoch + 1);
        // What was proven is not fetched again: at most what was asked for and not read is.
        source.BytesSent.ShouldBeLessThan(2_000_000 * 1032L / 1024 + (2 * 66_048));
    }
}
