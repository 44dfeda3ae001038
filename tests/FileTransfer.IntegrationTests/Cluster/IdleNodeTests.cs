using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Cluster;

/// <summary>What nodes that are in step cost the database they share: figures that a busy machine only lowers.</summary>
public sealed class IdleNodeTests(ITestOutputHelper output)
{
    private const int MostConnections = 4;
    private const double MostRoundTripsPerSecond = 2;

    /// <summary>For all readers of events together, whatever they follow.</summary>
    private const double MostForReaders = 2;
    private const int Readers = 100;

    [Thorough]
    [Fact]
    public async Task Nodes_in_step_keep_few_connections_and_ask_little_however_many_follow_their_events()
    {
        await using var cluster = await TestCluster.CreateAsync();
        await using var ofLeader = new DatabaseWire(cluster.ConnectionString);
        await using var ofFollower = new DatabaseWire(cluster.ConnectionString);
        cluster.ConnectionString = ofLeader.ConnectionString;
        var leader = await cluster.StartLeaderAsync("a");
        cluster.ConnectionString = ofFollower.ConnectionString;
        var follower = await cluster.StartAsync("b");
        var file = PlainFile.Random(50_000);
        await leader.StoreAsync(file);
        await TestCluster.StoredAsync(follower, file.Key);

        await Eventually.HoldsAsync(
            async () => await SessionsAsync("LIKE '%/lane-%' OR application_name LIKE '%/removal'") == 0,
            "lanes without work have no session",
            TimeSpan.FromSeconds(60)
        );

        var connections = await SessionsAsync("IN ('a/node', 'a/leader', 'b/node', 'b/leader', 'filetransfer')");
        output.WriteLine($"{connections} connections of two nodes");
        connections.ShouldBeLessThanOrEqualTo(2 * MostConnections);
        await using var readers = new FollowedFile(follower, file.Key);
        await readers.OpenAsync(Readers);

        // What comes once a minute may fall into one of these times.
        await Showing.UntilItHoldsAsync(async () =>
        {
            var (ledBefore, followedBefore, began) = (ofLeader.RoundTrips, ofFollower.RoundTrips, await SeenAtAsync());
            await Eventually.HoldsAsync(
                async () => await SeenAtAsync() - began > TimeSpan.FromSeconds(20),
                "both nodes were heard of again and again"
            );
            var seconds = (await SeenAtAsync() - began).TotalSeconds;
            var (led, followed) = (ofLeader.RoundTrips - ledBefore, ofFollower.RoundTrips - followedBefore);
            output.WriteLine($"{led / seconds:0.0} round trips a second of the leader, {followed / seconds:0.0} of the follower");
            (led / seconds).ShouldBeLessThan(MostRoundTripsPerSecond);
            (followed / seconds).ShouldBeLessThan(MostRoundTripsPerSecond + MostForReaders);
        });

        Task<long> SessionsAsync(string names) =>
            cluster.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND (application_name {names})"
            );

        Task<DateTime> SeenAtAsync() => cluster.Database.ScalarAsync<DateTime>("SELECT min(seen_at) FROM filetransfer.nodes");
    }

    /// <summary>Streams of the events of one file, each read to its state.</summary>
    private sealed class FollowedFile(NodeProcess node, string key) : IAsyncDisposable
    {
        private readonly List<EventReader> _readers = [];

        public async Task OpenAsync(int readers)
        {
            while (_readers.Count < readers)
            {
                _readers.Add(await EventReader.OpenAsync(node, $"/v1/files/{key}/events"));
                await _readers[^1].NextAsync("state");
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var reader in _readers)
            {
                await reader.DisposeAsync();
            }
        }
    }
}
