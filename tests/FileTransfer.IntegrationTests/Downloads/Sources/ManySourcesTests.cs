using System.Diagnostics;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Downloads.Sources;

/// <summary>Many sources add up, the loss of one costs little, a restart costs nothing, and spreading to many costs the leader little.</summary>
[Collection(Alone)]
public sealed class ManySourcesTests
{
    private const string Alone = "demonstrations with times";
    private const int Sources = 4;
    private static readonly int _size = Showing.Of(64 << 20, 1 << 30);
    private static readonly int _rate = Showing.Of(4_000_000, 50_000_000);
    private static readonly int _window = Showing.Of(256 << 10, 4 << 20);

    /// <summary>What it takes at the rate of all sources together.</summary>
    private static TimeSpan Ideal => TimeSpan.FromSeconds((double)_size / _rate / Sources);

    [Thorough]
    [Fact]
    public Task Four_sources_are_nearly_four_times_as_fast_as_one() => Showing.UntilItHoldsAsync(BringFromFourAsync);

    [Thorough]
    [Fact]
    public Task One_of_four_sources_that_stops_halfway_costs_what_it_had_under_way() =>
        Showing.UntilItHoldsAsync(LoseOneOfFourAsync);

    private static async Task BringFromFourAsync()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var follower = await StartFollowerAsync(cluster);
        var (file, sources) = await OfferAsync(cluster);

        await WarmAsync(follower, sources);
        var took = await TimeToStoreAsync(follower, file);

        var bound = Showing.Of(1.6, 1.15);
        Showing.Tell(
            $"{_size >> 20} MiB from {Sources} sources of {_rate / 1e6:0} MB/s, of the ideal time",
            took / Ideal,
            bound,
            "×"
        );
        await StopAsync(sources);
        (took / Ideal).ShouldBeLessThan(bound);
    }

    private static async Task LoseOneOfFourAsync()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var follower = await StartFollowerAsync(cluster);
        var (file, sources) = await OfferAsync(cluster);
        var warmth = await WarmAsync(follower, sources);
        var clock = Stopwatch.StartNew();
        await file.WantAtAsync(follower);
        await Eventually.HoldsAsync(() => Task.FromResult(SentBy(sources) - warmth > _size / 2), "half of it came");
        await sources[0].StopAsync();

        await TestCluster.StoredAsync(follower, file.Key.ToString(), TimeSpan.FromMinutes(3));
        var took = clock.Elapsed;

        var again = (SentBy(sources) - warmth - _size) / (double)_window;
        var bound = Showing.Of(1.9, 1.4);
        Showing.Tell("the same, one stopped halfway, of the ideal time", took / Ideal, bound, "×");
        Showing.Tell("fetched again: what it had under way, and races at the end", again, 2 + Sources, "windows");
        await StopAsync(sources);
        again.ShouldBeLessThan(2 + Sources);
        (took / Ideal).ShouldBeLessThan(bound);
    }

    [Thorough]
    [Fact]
    public async Task A_follower_killed_halfway_fetches_the_other_half_and_at_most_a_window_per_source()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var follower = await StartFollowerAsync(cluster);
        var (file, sources) = await OfferAsync(cluster);
        await file.WantAtAsync(follower);
        await Eventually.HoldsAsync(() => Task.FromResult(SentBy(sources) > _size / 2), "half of it came");

        await follower.KillAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(sources.TrueForAll(source => source.Open == 0)), "nothing is sent");
        follower = await StartFollowerAsync(cluster);
        await TestCluster.StoredAsync(follower, file.Key.ToString(), TimeSpan.FromMinutes(3));

        var again = (SentBy(sources) - _size) / (double)_window;
        Showing.Tell("fetched again after kill -9 at 50 %", again, Sources, "windows");
        await StopAsync(sources);
        again.ShouldBeLessThan(Sources);
    }

    [Thorough]
    [Fact]
    public async Task Eight_followers_have_a_file_soon_and_the_leader_sends_few_copies_of_it()
    {
        const int followers = 8;
        var size = Showing.Of(32_000_000, 100_000_000);
        await using var cluster = await TestCluster.CreateAsync();
        await using var proxy = new ForwardingProxy();
        var leader = await cluster.StartLeaderAsync(
            "leader",
            ("FileTransfer__AdvertisedUrl", proxy.Url),
            ("FileTransfer__Limits__Upload", Showing.Of("8MB/s", "20MB/s"))
        );
        proxy.Target = leader.Url;
        var nodes = new List<NodeProcess> { await StartFollowerAsync(cluster, "f0") };
        var alone = await TimeToSpreadAsync(leader, nodes, size, 1);
        for (var i = 1; i < followers; i++)
        {
            nodes.Add(await StartFollowerAsync(cluster, $"f{i}"));
        }

        // What was there before they came is there as well, before the clock starts.
        var warm = await leader.PutAsync(ReplicationTests.Content(3, 5_000_000), "warm");
        await Task.WhenAll(nodes.Select(node => TestCluster.StoredAsync(node, warm, TimeSpan.FromMinutes(3))));
        await Eventually.HoldsAsync(
            () =>
                cluster.Database.ScalarAsync<bool>(
                    "SELECT NOT EXISTS (SELECT FROM filetransfer.replicas WHERE state <> 'stored')"
                ),
            "every node has everything",
            TimeSpan.FromMinutes(3)
        );
        var seed = 2;
        await Showing.UntilItHoldsAsync(async () =>
        {
            var before = proxy.BytesSent;
            var together = await TimeToSpreadAsync(leader, nodes, size, seed++);
            var copies = (proxy.BytesSent - before) / (double)size;

            var (copiesBound, timeBound) = Showing.Of((3.0, 4.0), (2.5, 2.5));
            Showing.Tell($"{size / 1e6:0} MB to {followers} followers: copies sent by the leader", copies, copiesBound, "");
            Showing.Tell("and the time, of that of one follower alone", together / alone, timeBound, "×");
            copies.ShouldBeLessThan(copiesBound);
            (together / alone).ShouldBeLessThan(timeBound);
        });
    }

    /// <summary>Brings another file from all sources first, so that what is timed is not how programs start. Answers with what was sent.</summary>
    private static async Task<long> WarmAsync(NodeProcess follower, List<FakeSource> sources)
    {
        var file = TestFile.Of(12 * _window);
        foreach (var source in sources)
        {
            await source.OfferAsync(file);
        }

        _ = await TimeToStoreAsync(follower, file);
        return SentBy(sources);
    }

    private static async Task<TimeSpan> TimeToSpreadAsync(NodeProcess leader, List<NodeProcess> nodes, int size, int seed)
    {
        var file = TestFile.Of(size, seed);
        await leader.PutAsync(file.Content, file.Location);
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(nodes.Select(node => TestCluster.StoredAsync(node, file.Key.ToString(), TimeSpan.FromMinutes(3))));
        return clock.Elapsed;
    }

    private static async Task<TimeSpan> TimeToStoreAsync(NodeProcess follower, TestFile file)
    {
        var clock = Stopwatch.StartNew();
        await file.WantAtAsync(follower);
        await TestCluster.StoredAsync(follower, file.Key.ToString(), TimeSpan.FromMinutes(3));
        return clock.Elapsed;
    }

    private static async Task<NodeProcess> StartFollowerAsync(TestCluster cluster, string id = "b")
    {
        var follower = await cluster.StartFollowerAsync(id, ("FileTransfer__Downloads__WindowBytes", $"{_window}"));
        await follower.CheckSaysAsync("membership", "healthy");
        return follower;
    }

    private static async Task<(TestFile, List<FakeSource>)> OfferAsync(TestCluster cluster)
    {
        var file = TestFile.Of(_size);
        file.Hashes.Length.ShouldBe(_size / 32); // Computed now: not a part of what is timed.
        var sources = new List<FakeSource>();
        for (var i = 0; i < Sources; i++)
        {
            sources.Add(await FakeSource.StartAsync(cluster.Database, $"source-{i}"));
            sources[i].TotalBytesPerSecond = _rate;
            await sources[i].OfferAsync(file);
        }

        return (file, sources);
    }

    private static long SentBy(List<FakeSource> sources) => sources.Sum(source => source.BytesSent);

    private static async Task StopAsync(List<FakeSource> sources)
    {
        foreach (var source in sources)
        {
            await source.DisposeAsync();
        }
    }
}

[CollectionDefinition("demonstrations with times", DisableParallelization = true)]
public sealed class DemonstrationsWithTimes;
