using System.Diagnostics;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>What a file costs, in figures that no machine changes: allocations, round trips, requests. Measured on whole processes.</summary>
/// <remarks>Alone: what a download costs by the second weighs more where it takes longer.</remarks>
[Collection("demonstrations with times")]
public sealed class CostTests(ITestOutputHelper output)
{
    private const int Mebibyte = 1024 * 1024;

    /// <summary>A node does little besides what it is asked for.</summary>
    private static readonly (string, string)[] _quiet =
    [
        ("FileTransfer__Downloads__PollInterval", "00:01:00"),
        ("Serilog__MinimumLevel__Default", "Warning"),
    ];

    [Thorough]
    [Fact]
    public async Task Serving_a_mebibyte_allocates_less_than_two_kibibytes()
    {
        const int mebibytes = 128;
        await using var cluster = await TestCluster.CreateAsync();
        var probe = new AllocationProbe(cluster.Folder);
        var node = await cluster.StartLeaderAsync("a", [.. probe.Settings, .. _quiet]);
        var key = await node.PutAsync(ReplicationTests.Content(1, mebibytes * Mebibyte), "file");

        foreach (var path in (string[])[$"/download/{key}", $"/v1/files/{key}/content"])
        {
            var least = await LeastAsync(3, probe.ReadAsync, () => DropAsync(node, path));

            output.WriteLine($"{path}: {least / mebibytes:0} bytes per MiB");
            (least / mebibytes).ShouldBeLessThan(2048, path);
        }
    }

    [Thorough]
    [Fact]
    public async Task Receiving_a_mebibyte_allocates_less_than_two_kibibytes_beside_the_price_of_a_file()
    {
        const int small = 32;
        const int large = 288;
        await using var cluster = await TestCluster.CreateAsync();
        var probe = new AllocationProbe(cluster.Folder);
        var leader = await cluster.StartLeaderAsync("a", _quiet);
        await cluster.StartFollowerAsync("b", [.. probe.Settings, .. _quiet]);
        var number = 0;

        var ofSmall = await LeastAsync(4, probe.ReadAsync, () => ReplicateAsync(small));
        var ofLarge = await LeastAsync(4, probe.ReadAsync, () => ReplicateAsync(large));

        var perMebibyte = (ofLarge - ofSmall) / (large - small);
        var perFile = ofSmall - (small * perMebibyte);
        output.WriteLine($"{perMebibyte:0} bytes per MiB, {perFile / 1024:0} KiB per file");
        // One object for each chunk would be 24 KiB. What a node allocates by itself meanwhile is in the figure.
        perMebibyte.ShouldBeLessThan(2048);
        perFile.ShouldBeLessThan(256 * 1024);

        async Task ReplicateAsync(int mebibytes)
        {
            // The database is asked: an answer of the follower would be in the figure.
            await leader.PutAsync(ReplicationTests.Content(++number, mebibytes * Mebibyte), $"file {number}");
            await StoredAsync(cluster, "b", number);
        }
    }

    [Thorough]
    [Fact]
    public async Task A_small_file_costs_a_follower_less_than_one_round_trip_and_a_part_of_a_request()
    {
        const int files = 400;
        await using var cluster = await TestCluster.CreateAsync();
        await using var requests = new RequestWire();
        var leader = await cluster.StartLeaderAsync("a", ("FileTransfer__AdvertisedUrl", requests.Address.ToString()));
        requests.LeadTo(leader.Url);
        for (var i = 0; i < files; i++)
        {
            await leader.PutAsync(ReplicationTests.Content(i, 8192), $"file {i}");
        }

        // The follower's start is in the figure as well; where its source takes longer than a lane waits for one that it does not know, each
        // file is deferred once.
        await using var wire = new DatabaseWire(cluster.ConnectionString);
        cluster.ConnectionString = wire.ConnectionString;
        var roundTrips = await LeastAsync(
            1,
            () => Task.FromResult((long)wire.RoundTrips),
            async () =>
            {
                await cluster.StartFollowerAsync("b", _quiet);
                await StoredAsync(cluster, "b", files);
            }
        );

        output.WriteLine($"{roundTrips / files:0.00} round trips, {(double)requests.Requests / files:0.00} requests per file");
        (roundTrips / files).ShouldBeLessThan(1);
        requests.Requests.ShouldBeLessThan(files / 4);
        requests.Connections.ShouldBeLessThanOrEqualTo(6, "one for each lane, and for the probes");
    }

    [Thorough]
    [Fact]
    public async Task Small_files_that_come_one_by_one_cost_a_follower_at_most_four_round_trips_each()
    {
        const int files = 30;
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a", _quiet);
        await using var wire = new DatabaseWire(cluster.ConnectionString);
        cluster.ConnectionString = wire.ConnectionString;
        await cluster.StartFollowerAsync("b", _quiet);
        var number = 0;

        var least = await LeastAsync(
            3,
            () => Task.FromResult((long)wire.RoundTrips),
            async () =>
            {
                for (var i = 0; i < files; i++)
                {
                    await leader.PutAsync(ReplicationTests.Content(++number, 8192), $"file {number}");
                    await StoredAsync(cluster, "b", number);
                }
            }
        );

        output.WriteLine($"{least / files:0.0} round trips per file");
        (least / files).ShouldBeLessThanOrEqualTo(4);
    }

    // 13 for the put itself, and six for the feed where each put is read by itself; several are where they come faster.
    [Thorough]
    [Fact]
    public async Task A_put_costs_the_leader_less_than_20_round_trips()
    {
        const int files = 50;
        await using var cluster = await TestCluster.CreateAsync();
        await using var wire = new DatabaseWire(cluster.ConnectionString);
        cluster.ConnectionString = wire.ConnectionString;
        var leader = await cluster.StartLeaderAsync("a", _quiet);
        var number = 0;

        var least = await LeastAsync(
            3,
            () => Task.FromResult((long)wire.RoundTrips),
            async () =>
            {
                for (var i = 0; i < files; i++)
                {
                    await leader.PutAsync(ReplicationTests.Content(++number, 8192), $"file {number}");
                }
            }
        );

        output.WriteLine($"{least / files:0.0} round trips per put");
        (least / files).ShouldBeLessThan(20);
    }

    private static Task StoredAsync(TestCluster cluster, string node, int files) =>
        Eventually.HoldsAsync(
            async () =>
                await cluster.Database.ScalarAsync<long>(
                    $"SELECT count(*) FROM filetransfer.replicas WHERE node_id = '{node}' AND state = 'stored'"
                ) == files,
            $"{node} has {files} files stored"
        );

    private static async Task DropAsync(NodeProcess node, string path)
    {
        using var response = await node.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync();
        await body.CopyToAsync(Stream.Null);
    }

    /// <summary>
    /// How much a counter grows by some work, without what it grows by itself in that time. The least of several times, of both: what else
    /// goes on only adds.
    /// </summary>
    private async Task<double> LeastAsync(int times, Func<Task<long>> counter, Func<Task> work)
    {
        // A node that rests does something with each heartbeat.
        const int heartbeat = 2;
        var runs = new List<(long Grown, double Seconds)>();
        var leastIdle = long.MaxValue;
        for (var i = 0; i < times; i++)
        {
            var started = Stopwatch.GetTimestamp();
            var before = await counter();
            await work();
            runs.Add((await counter() - before, Stopwatch.GetElapsedTime(started).TotalSeconds));
            var idle = await counter();
            await Task.Delay(TimeSpan.FromSeconds(heartbeat));
            leastIdle = Math.Min(leastIdle, (await counter() - idle) / heartbeat);
        }

        output.WriteLine(
            $"{string.Join("; ", runs.Select(run => $"{run.Grown} in {run.Seconds:0.00} s"))}; {leastIdle} in an idle second"
        );
        return runs.Min(run => run.Grown - (leastIdle * run.Seconds));
    }
}
