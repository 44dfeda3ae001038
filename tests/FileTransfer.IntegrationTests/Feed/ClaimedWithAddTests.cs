using FileTransfer.Catalog.Replicas;
using FileTransfer.Feed;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Postgres;
using Npgsql;

namespace FileTransfer.IntegrationTests.Feed;

/// <summary>What a node sees for the first time, a free lane claims while it puts it into the queue: under lock, epoch and proof as ever.</summary>
public sealed class ClaimedWithAddTests : IAsyncLifetime
{
    private readonly QueueSignal _signal = new();

    private QueueDatabase _db = null!;
    private LockConnection _session = null!;
    private FeedApplier _applier = null!;

    public async ValueTask InitializeAsync()
    {
        _db = await QueueDatabase.CreateAsync();
        _session = await _db.OpenAsync();
        _applier = new FeedApplier(_db.Database, _db.Node, _db.Queue, _signal, new ReplicaChanges());
    }

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Fact]
    public async Task Its_row_is_written_twice_once_as_claimed_and_once_as_stored()
    {
        var files = await AddAsync(3);
        var before = await WritesAsync();

        var claims = await ClaimAsync(files);

        foreach (var claim in claims)
        {
            (await _session.ProveAsync(claim.LockKey, default)).ShouldBeTrue();
        }

        (await _db.StateAsync(files[0])).ShouldBe("downloading");
        (await _db.ValueAsync<int>(files[0], "holder_pid")).ShouldBe(_session.BackendPid);
        var published = await _db.Queue.PublishAsync(_session, claims, ClaimLimit.None, default);
        published.Published.ShouldBe(files.Select(file => file.Key), ignoreOrder: true);
        (await _db.StateAsync(files[2])).ShouldBe("stored");
        (await WritesAsync() - before).ShouldBe(2 * files.Length);
        (await _session.ProveAsync(claims[0].LockKey, default)).ShouldBeFalse();
        _signal.IsDue.ShouldBeFalse();
    }

    [Fact]
    public async Task One_whose_holder_dies_is_taken_over_with_a_new_epoch()
    {
        var files = await AddAsync(1);
        var claim = (await ClaimAsync(files)).ShouldHaveSingleItem();

        await _db.Test.TerminateAsync(_session.BackendPid);

        (await _db.UpkeepAsync()).ShouldBe(1);
        var heir = await _db.OpenAsync("b/lane-2");
        var taken = await _db.ClaimAsync(heir);
        taken.Epoch.ShouldBe(claim.Epoch + 1);
        (await _db.PublishAsync(heir, claim)).ShouldBeFalse();
        await heir.TryLockAsync(taken.LockKey, default);
        (await _db.PublishAsync(heir, taken)).ShouldBeTrue();
    }

    [Fact]
    public async Task One_that_is_removed_meanwhile_is_not_published()
    {
        var files = await AddAsync(2);
        var claims = await ClaimAsync(files);
        await _db.RemoveAsync(files[0]);

        var published = await _db.Queue.PublishAsync(_session, claims, ClaimLimit.None, default);

        published.Published.ShouldBe([files[1].Key]);
        (await _db.StateAsync(files[0])).ShouldBe("removing");
    }

    [Theory]
    [InlineData("here already")]
    [InlineData("removed")]
    [InlineData("not where the page begins")]
    public async Task Nothing_is_claimed_or_locked_of_a_file_that_is(string why)
    {
        var files = await AddAsync(1);
        await _db.Test.ExecuteAsync(
            why switch
            {
                "here already" =>
                    $"INSERT INTO filetransfer.replicas (node_id, file_key, state) VALUES ('b', {files[0].KeySql}, 'stored')",
                "removed" => "UPDATE filetransfer.files SET state = 'removed'",
                _ => "INSERT INTO filetransfer.feed_positions (node_id, bin, sequence) SELECT 'b', bin, 7 FROM filetransfer.bins",
            }
        );

        (await ClaimOutcomeAsync(files)).ShouldBeOfType<ClaimOutcome.Empty>();

        (await _db.StateAsync(files[0])).ShouldBe(why == "here already" ? "stored" : null);
        (await LocksAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("no node has it")]
    [InlineData("another session has its lock")]
    [InlineData("it is being removed")]
    [InlineData("it is large")]
    public async Task It_takes_its_turn_in_the_queue_where(string why)
    {
        var file = TestFile.Of(why == "it is large" ? 2 * 1024 * 1024 : 10);
        await (why == "no node has it" ? file.KnowAsync(_db.Test) : file.AddAsync(_db.Test, "a"));
        if (why == "it is being removed")
        {
            await _db.Test.ExecuteAsync(
                $"INSERT INTO filetransfer.replicas (node_id, file_key, state) VALUES ('b', {file.KeySql}, 'removing')"
            );
        }
        else if (why == "another session has its lock")
        {
            var known = await AddAsync(1);
            var key = (await ClaimAsync(known))[0].LockKey;
            await _db.Test.ExecuteAsync(
                $"DELETE FROM filetransfer.replicas WHERE file_key = {known[0].KeySql} AND node_id = 'b'"
            );
            await _db.Test.ExecuteAsync("DELETE FROM filetransfer.feed_positions");
            (await _session.ProveAsync(key, default)).ShouldBeTrue();
            file = known[0];
        }

        var session = await _db.OpenAsync("b/lane-2");
        (await ClaimOutcomeAsync([file], session)).ShouldBeOfType<ClaimOutcome.Empty>();

        (await _db.StateAsync(file)).ShouldBe("wanted");
        _signal.IsDue.ShouldBeTrue();
    }

    private async Task<TestFile[]> AddAsync(int count)
    {
        var files = Enumerable.Range(0, count).Select(_ => TestFile.Of(10)).ToArray();
        foreach (var file in files)
        {
            await file.AddAsync(_db.Test, "a");
        }

        return files;
    }

    private async Task<IReadOnlyList<ClaimedReplica>> ClaimAsync(TestFile[] files) =>
        (await ClaimOutcomeAsync(files)).ShouldBeOfType<ClaimOutcome.Claimed>().Replicas;

    private Task<ClaimOutcome> ClaimOutcomeAsync(TestFile[] files, LockConnection? session = null) =>
        _applier.ClaimAsync(
            session ?? _session,
            [
                .. files
                    .GroupBy(file => file.Key.Bin)
                    .Select(bin => new FeedPage(
                        Guid.Empty,
                        (short)bin.Key,
                        After: 0,
                        [.. bin.Select((file, i) => new Mutation(bin.Key, i + 1, MutationKind.Add, file.Key))]
                    )),
            ],
            new ClaimLimit(files.Length, 4 * 1024 * 1024),
            default
        );

    private Task<long> LocksAsync() =>
        _db.Test.ScalarAsync<long>(
            $"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND pid = {_session.BackendPid}"
        );

    private async Task<long> WritesAsync()
    {
        // A session tells what it wrote at the end of the statement that follows.
        await _session.UseAsync(FlushAsync, default);
        await _db.Test.ExecuteAsync("SELECT pg_stat_force_next_flush()");
        return await _db.Test.ScalarAsync<long>(
            "SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables WHERE schemaname = 'filetransfer' AND relname = 'replicas'"
        );
    }

    private static async Task FlushAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var flush = new NpgsqlCommand("SELECT pg_stat_force_next_flush()", connection);
        await flush.ExecuteNonQueryAsync(cancellationToken);
    }
}
