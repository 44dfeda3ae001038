using FileTransfer.Cluster;
using FileTransfer.Feed;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Feed;

/// <summary>A bin's digest is that of its added files, whatever of it was kept and whatever was appended since.</summary>
public sealed class FeedDigestTests
{
    [Fact]
    public async Task Adds_removes_and_adds_of_what_is_there_leave_the_digest_of_the_files_that_are_added()
    {
        await using var db = await QueueDatabase.CreateAsync();
        var digests = new FeedDigests(db.Database, mostBehind: 20);
        var files = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => db.WantAsync()));
        var there = new HashSet<FileKey>();
        var random = new Random(7);
        await db.Test.ExecuteAsync("UPDATE filetransfer.files SET state = 'registered'");
        await db.Test.ExecuteAsync("INSERT INTO filetransfer.cluster (cluster_id) VALUES ('here')");
        (await digests.ReadAsync(null, null, default)).Count.ShouldBe(16);
        for (var round = 0; round < 30; round++)
        {
            var kind = random.Next(2) == 0 ? MutationKind.Add : MutationKind.Remove;
            var keys = files.Select(file => file.Key).Where(_ => random.Next(2) == 0).ToList();
            await AppendAsync(db, kind, keys);
            _ = kind == MutationKind.Add ? keys.Count(there.Add) : keys.Count(there.Remove);

            if (round == 20)
            {
                // What was remembered is of another history.
                await db.Test.ExecuteAsync("UPDATE filetransfer.cluster SET feed_epoch = gen_random_uuid()");
            }

            if (round % 7 == 6)
            {
                // The feed was compacted, beyond what was kept in some bins.
                await db.Test.ExecuteAsync(
                    "DELETE FROM filetransfer.mutations m USING filetransfer.bins b WHERE b.bin = m.bin AND m.sequence < b.head"
                );
            }

            foreach (var set in await digests.ReadAsync(null, round % 3 == 0 ? null : [Bucket], default))
            {
                var expected = new SetDigest();
                foreach (var key in there.Where(key => key.Bin == set.Bin))
                {
                    expected.Add(key);
                }

                set.Digest.ToHash().ShouldBe(expected.ToHash(), $"bin {set.Bin}, round {round}");
            }
        }

        // What is kept was made anew in between.
        (await db.Test.ScalarAsync<long>("SELECT max(sequence) FROM filetransfer.digested_bins")).ShouldBeGreaterThan(0);
        (await digests.ReadAsync(null, [ByteString.FromUtf8("none")], default)).ShouldAllBe(set =>
            set.Digest.ToHash() == new SetDigest().ToHash()
        );
    }

    private static ByteString Bucket => new([2]);

    private static async Task AppendAsync(QueueDatabase db, MutationKind kind, IReadOnlyCollection<FileKey> keys)
    {
        await using var connection = await db.Database.Pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var leads = new LeaderTransaction(db.Database, connection, transaction, epoch: 1);
        await FeedAppender.AppendAsync(leads, kind, keys, default);
        await transaction.CommitAsync();
    }
}
