using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.Wants.Policies;
using Npgsql;

namespace FileTransfer.IntegrationTests.Wants.Policies;

/// <summary>Policies that change while others write replicas by them.</summary>
public sealed class PolicyRaceTests : IAsyncLifetime
{
    private static readonly Policy _nothing = PolicyDatabase.Policy("nothing-except");

    private PolicyDatabase _db = null!;

    public async ValueTask InitializeAsync() => _db = await PolicyDatabase.CreateAsync();

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Fact]
    public async Task A_page_of_the_feed_that_is_not_committed_yet_is_seen_by_the_review_of_the_new_policy()
    {
        var file = await _db.FileAsync(null);
        await using var connection = await _db.Queue.Database.Pool.OpenConnectionAsync();
        await using var page = await connection.BeginTransactionAsync();
        await ReplicaTransitions.WantAddedAsync(connection, _db.Queue.Node, [file.Key], default);

        var change = _db.FollowAsync(_nothing);
        await SomebodyWaitsAsync();
        change.IsCompleted.ShouldBeFalse();
        await page.CommitAsync();

        (await change).Withdrawn.ShouldBe(1);
        (await _db.StateAsync(file)).ShouldBeNull();
    }

    [Theory]
    [InlineData("nothing-except", null)]
    [InlineData("everything-except", "wanted")]
    public async Task A_page_of_the_feed_waits_for_a_policy_that_is_being_written_and_follows_it(string kind, string? state)
    {
        await _db.FollowAsync(kind == "nothing-except" ? Policy.Everything : _nothing);
        var file = await _db.FileAsync(null);
        await using var connection = await _db.Queue.Database.Pool.OpenConnectionAsync();
        await using var change = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, "SELECT pg_advisory_xact_lock(hashtextextended('filetransfer policies b', 0))");
        await ExecuteAsync(
            connection,
            $"""
            INSERT INTO filetransfer.policies (node_id, bucket, kind, prefixes, exacts)
            VALUES ('b', '\x02', '{kind}', '{"{}"}', '{"{}"}') ON CONFLICT (node_id, bucket) DO UPDATE SET kind = EXCLUDED.kind
            """
        );

        var page = FeedAsync(file.Key);
        await SomebodyWaitsAsync();
        page.IsCompleted.ShouldBeFalse();
        await change.CommitAsync();
        await page;

        (await _db.StateAsync(file)).ShouldBe(state);
    }

    [Fact]
    public async Task An_intent_that_is_not_committed_yet_is_seen_before_its_file_is_withdrawn()
    {
        var file = await _db.FileAsync(ReplicaState.Downloading);
        await using var connection = await _db.Queue.Database.Pool.OpenConnectionAsync();
        await using var asking = await connection.BeginTransactionAsync();
        await FileCatalog.LockAsync(connection, file.Key, default);

        var change = _db.FollowAsync(_nothing);
        await SomebodyWaitsAsync();
        await ExecuteAsync(
            connection,
            $"INSERT INTO filetransfer.intents (intent_id, node_id, file_key) VALUES (gen_random_uuid(), 'b', {file.KeySql})"
        );
        await asking.CommitAsync();

        (await change).Withdrawn.ShouldBe(0);
        (await _db.StateAsync(file)).ShouldBe("downloading");
    }

    [Fact]
    public async Task Whatever_feed_and_policies_do_at_once_the_node_ends_with_what_the_last_policy_wants()
    {
        const int count = 400;
        var files = new List<TestFile>();
        for (var i = 0; i < count; i++)
        {
            files.Add(await _db.FileAsync(null));
        }

        using var done = new CancellationTokenSource();
        var changes = Enumerable
            .Range(0, 3)
            .Select(changer =>
                Task.Run(async () =>
                {
                    var random = new Random(changer);
                    while (!done.IsCancellationRequested)
                    {
                        var policy = random.Next(3) switch
                        {
                            0 => Policy.Everything,
                            1 => _nothing,
                            _ => PolicyDatabase.Policy("nothing-except", $"prefix:utf8:file {random.Next(10)}"),
                        };
                        await _db.Policies.SetAsync(PolicyDatabase.Bucket, policy, prunes: false, default);
                        await _db.Review.RunAsync(PolicyDatabase.Bucket, prunes: false, default);
                    }
                })
            )
            .ToList();
        await Task.WhenAll(
            files
                .Chunk(count / 4)
                .Select(some =>
                    Task.Run(async () =>
                    {
                        foreach (var pair in some.Chunk(2))
                        {
                            await FeedAsync([.. pair.Select(file => file.Key)]);
                        }
                    })
                )
        );
        await done.CancelAsync();
        await Task.WhenAll(changes);

        var wrong = await _db.Queue.Test.ScalarAsync<long>(
            """
            SELECT count(*) FROM filetransfer.files f
            LEFT JOIN filetransfer.replicas r ON r.node_id = 'b' AND r.file_key = f.file_key
            WHERE (r.state IS NOT NULL) <> filetransfer.policy_wants('b', f.bucket, f.location)
            """
        );

        wrong.ShouldBe(0);
    }

    [Thorough]
    [Fact]
    public async Task A_large_bucket_is_followed_and_listed_a_page_at_a_time()
    {
        const int count = 30_000;
        await _db.ManyFilesAsync(count);

        var missing = 0;
        var keys = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (var page in _db.Missing.PagesOf(PolicyDatabase.Bucket, default))
        {
            page.Length.ShouldBeLessThan(300 * 1024);
            foreach (
                var line in System.Text.Encoding.UTF8.GetString(page.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            )
            {
                missing++;
                keys.Add(System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("key").GetString()!).ShouldBeTrue();
            }
        }

        missing.ShouldBe(count);
        (await _db.FollowAsync(PolicyDatabase.Policy("nothing-except", "prefix:utf8:file 1"))).Wanted.ShouldBe(11_111);
        (await _db.FollowAsync(Policy.Everything)).Wanted.ShouldBe(count - 11_111);
        (await _db.FollowAsync(PolicyDatabase.Policy("everything-except", "prefix:utf8:file 1"))).Withdrawn.ShouldBe(11_111);
        (await _db.FollowAsync(_nothing)).Withdrawn.ShouldBe(count - 11_111);
        (await _db.CountAsync("true")).ShouldBe(0);
        await foreach (var page in _db.Missing.PagesOf(PolicyDatabase.Bucket, default))
        {
            page.IsEmpty.ShouldBeTrue("Nothing is wanted, so nothing is missing.");
        }
    }

    private async Task FeedAsync(params FileKey[] keys)
    {
        await using var connection = await _db.Queue.Database.Pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ReplicaTransitions.WantAddedAsync(connection, _db.Queue.Node, keys, default);
        await transaction.CommitAsync();
    }

    private Task SomebodyWaitsAsync() =>
        Eventually.HoldsAsync(
            () =>
                _db.Queue.Test.ScalarAsync<bool>(
                    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
                ),
            "somebody waits for a lock"
        );

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
