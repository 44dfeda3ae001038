using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>Small files come together; what befalls one of them is nothing to the others.</summary>
public sealed class SmallFilesTogetherTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    private const int Others = 20;

    [Fact]
    public async Task Those_that_have_come_are_stored_while_one_takes_its_time()
    {
        await using var good = await cluster.StartSourceAsync();
        await using var slow = await cluster.StartSourceAsync();
        slow.BytesPerSecond = 40_000;
        var late = await slow.OfferAsync(TestFile.Of(60_000));
        slow.SilentAfter = 20_000; // Never, for all this test knows: the others are not to wait for it.

        var others = await WantWithAsync(good, late);

        await StoredAsync(others);
        slow.SilentAfter = null;
        await cluster.StoredAsync(late);
    }

    [Fact]
    public async Task One_that_is_removed_meanwhile_stays_removed_and_the_others_are_stored()
    {
        await using var good = await cluster.StartSourceAsync();
        await using var slow = await cluster.StartSourceAsync();
        slow.BytesPerSecond = 40_000;
        var removed = await slow.OfferAsync(TestFile.Of(60_000));

        var others = await WantWithAsync(good, removed);
        await Eventually.HoldsAsync(() => Task.FromResult(slow.BytesSent > 0), "it is under way");
        using var answer = await cluster.Leader.Http.DeleteAsync($"/v1/files/{removed.Key}");
        answer.EnsureSuccessStatusCode();

        await StoredAsync(others);
        await Eventually.HoldsAsync(async () => await cluster.ReplicaAsync(removed) is null, "it is gone");
        cluster.HasContentOf(removed).ShouldBeFalse();
    }

    [Fact]
    public async Task One_that_a_source_lies_about_comes_from_another_and_the_others_are_stored()
    {
        await using var good = await cluster.StartSourceAsync();
        await using var liar = await cluster.StartSourceAsync();
        liar.LiesAtChunk = 3;
        var disputed = await liar.OfferAsync(TestFile.Of(8_000));

        var others = await WantWithAsync(good, disputed);
        await StoredAsync(others);
        cluster.HasContentOf(disputed).ShouldBeFalse();

        await good.OfferAsync(disputed);
        await cluster.AppearsAsync(disputed, good);
        await cluster.StoredAsync(disputed);
    }

    [Fact]
    public async Task One_that_a_source_has_in_another_size_comes_from_another_and_the_others_are_stored()
    {
        await using var source = await cluster.StartSourceAsync();
        await using var other = await cluster.StartSourceAsync();
        var disputed = await source.OfferAsync(TestFile.Of(8_000));
        source.ShortensInDeliveries = disputed.Key;

        var others = await WantWithAsync(source, disputed);
        await StoredAsync(others);
        await cluster.ReplicaIsAsync(disputed, "wanted", "has 7999 bytes of content where the file has 8000");
        cluster.HasContentOf(disputed).ShouldBeFalse();

        await other.OfferAsync(disputed);
        await cluster.AppearsAsync(disputed, other);
        await cluster.StoredAsync(disputed);
    }

    [Fact]
    public async Task One_that_a_source_has_lost_is_not_asked_of_it_again_and_the_others_are_stored()
    {
        await using var source = await cluster.StartSourceAsync();
        var lost = TestFile.Of(8_000);
        await lost.AddAsync(cluster.Database, source.Id);

        var others = await WantWithAsync(source, lost);
        await StoredAsync(others);
        await cluster.ReplicaIsAsync(lost, "wanted", "does not have the file");
    }

    [Fact]
    public async Task Two_of_one_content_are_both_stored()
    {
        await using var good = await cluster.StartSourceAsync();
        var first = await good.OfferAsync(TestFile.Of(8_000, seed: 77));
        var second = await good.OfferAsync(TestFile.Of(8_000, seed: 77));
        second.Fingerprint.ShouldBe(first.Fingerprint);

        await WantAsync([first, second]);

        await StoredAsync([first, second]);
    }

    /// <summary>Wants a file, and others that a good source has, in one statement.</summary>
    private async Task<List<TestFile>> WantWithAsync(FakeSource good, TestFile first)
    {
        var others = new List<TestFile>();
        for (var i = 0; i < Others; i++)
        {
            others.Add(await good.OfferAsync(TestFile.Of(8_000)));
        }

        await WantAsync([first, .. others]);
        return others;
    }

    private Task WantAsync(IEnumerable<TestFile> files) =>
        new ForgedReplica("b", ReplicaState.Wanted).AddAsync(cluster.Database, files);

    private async Task StoredAsync(List<TestFile> files)
    {
        foreach (var file in files)
        {
            await cluster.StoredAsync(file);
        }
    }
}
