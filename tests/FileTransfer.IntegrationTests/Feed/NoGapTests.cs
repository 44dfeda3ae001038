using FileTransfer.Cluster;
using FileTransfer.Feed;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Feed;

/// <summary>A bin's sequences are dense and in the order of commits; a gap is reported, never stepped over.</summary>
public sealed class NoGapTests
{
    [Fact]
    public async Task Sixteen_writers_some_of_whom_give_up_leave_dense_sequences_in_the_order_of_their_commits()
    {
        const int writers = 16;
        const int each = 40;
        await using var db = await QueueDatabase.CreateAsync();
        var files = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => db.WantAsync()));
        using var done = new CancellationTokenSource();
        var watching = WatchAsync(db, done.Token);

        await Task.WhenAll(
            Enumerable
                .Range(0, writers)
                .Select(async writer =>
                {
                    var random = new Random(writer);
                    for (var i = 0; i < each; i++)
                    {
                        await using var connection = await db.Database.Pool.OpenConnectionAsync();
                        await using var transaction = await connection.BeginTransactionAsync();
                        var leads = new LeaderTransaction(db.Database, connection, transaction, epoch: 1);
                        await FeedAppender.AppendAsync(leads, MutationKind.Add, [files[random.Next(files.Length)].Key], default);
                        if (random.Next(3) == 0)
                        {
                            await transaction.RollbackAsync();
                        }
                        else
                        {
                            await transaction.CommitAsync();
                        }
                    }
                })
        );

        await done.CancelAsync();
        await watching;
        (
            await db.Test.ScalarAsync<long>(
                """
                SELECT count(*) FROM filetransfer.bins b
                WHERE b.head <> (SELECT count(*) FROM filetransfer.mutations m WHERE m.bin = b.bin)
                   OR b.head <> (SELECT coalesce(max(sequence), 0) FROM filetransfer.mutations m WHERE m.bin = b.bin)
                """
            )
        ).ShouldBe(0);
        (await db.Test.ScalarAsync<long>("SELECT count(*) FROM filetransfer.mutations")).ShouldBeGreaterThan(writers * each / 2);
    }

    [Thorough]
    [Fact]
    public async Task A_lost_mutation_stops_its_bin_is_told_in_words_and_does_not_hold_up_the_other_bins()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var broken = await PutInBinAsync(leader, bin => true);
        var bin = Bin(broken);
        await PutInBinAsync(leader, other => other == bin);
        await cluster.Database.ExecuteAsync($"DELETE FROM filetransfer.mutations WHERE bin = {bin} AND sequence = 1");
        var others = new[]
        {
            await PutInBinAsync(leader, other => other < bin || bin == 0 && other != bin),
            await PutInBinAsync(leader, other => other > bin || bin == 15 && other != bin),
        };

        var follower = await cluster.StartFollowerAsync("b");
        foreach (var key in others)
        {
            await TestCluster.StoredAsync(follower, key);
        }

        await Eventually.HoldsAsync(
            async () =>
            {
                var queue = (await follower.GetJsonAsync("/health/ready")).GetProperty("checks").GetProperty("queue");
                return queue.GetProperty("status").GetString() == "degraded"
                    && queue
                        .GetProperty("detail")
                        .GetString()!
                        .Contains($"Bin {bin} of the feed has a gap: after 0 comes 2", StringComparison.Ordinal);
            },
            "health names the gap"
        );
        (
            await cluster.Database.ScalarAsync<long>(
                $"SELECT coalesce(max(sequence), 0) FROM filetransfer.feed_positions WHERE node_id = 'b' AND bin = {bin}"
            )
        ).ShouldBe(0);
        (await follower.StateOfAsync(broken)).ShouldBe("absent");
    }

    /// <summary>Whoever sees a head sees every mutation up to it.</summary>
    private static async Task WatchAsync(QueueDatabase db, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            (
                await db.Test.ScalarAsync<long>(
                    """
                    SELECT count(*) FROM filetransfer.bins b
                    WHERE b.head <> (SELECT count(*) FROM filetransfer.mutations m WHERE m.bin = b.bin)
                    """
                )
            ).ShouldBe(0);
        }
    }

    private static async Task<string> PutInBinAsync(NodeProcess leader, Func<int, bool> wanted)
    {
        for (var attempt = 0; ; attempt++)
        {
            var file = TestFile.Of(10);
            if (wanted(file.Key.Bin))
            {
                return await leader.PutAsync(file.Content, file.Location);
            }
        }
    }

    private static int Bin(string key) => FileKey.TryParse(key, out var parsed) ? parsed.Bin : throw new FormatException(key);
}
