using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Catalog.Repair;

/// <summary>Real nodes under load whose power fails after a system call that chance chooses; they go on with what was flushed.</summary>
public sealed class NodePowerFailureTests(ITestOutputHelper output)
{
    [Thorough]
    [PowerFailureFact]
    public async Task Nodes_whose_power_fails_again_and_again_lose_nothing_that_was_acknowledged_and_show_nothing_that_was_removed()
    {
        var seed = Environment.TickCount & 0xFFFF;
        var random = new Random(seed);
        await using var cluster = await TestCluster.CreateAsync();
        await using var leader = new PoweredNode(cluster, "a", []);
        await using var follower = new PoweredNode(cluster, "b", [("FileTransfer__Role", "Follower")]);
        var load = new UploadLoad(seed);
        using var stop = new CancellationTokenSource();
        var sending = load.RunAsync(() => leader.Process, clients: 3, stop.Token);

        var states = 0;
        var rounds = Showing.Of(2, 40);
        for (var round = 0; round < rounds; round++)
        {
            states += await FailAsync(leader, load, random);
        }

        await leader.StartAsync(cut: null);
        for (var round = 0; round < rounds; round++)
        {
            states += await FailAsync(follower, load, random);
        }

        await follower.StartAsync(cut: null);
        await stop.CancelAsync();
        await sending;

        load.Known.Values.Count(knowledge => knowledge == ClientKnowledge.Stored).ShouldBeGreaterThan(5);
        await load.HoldsAtAsync(leader.Process!, TimeSpan.FromSeconds(60));
        await load.HoldsAtAsync(follower.Process!, TimeSpan.FromSeconds(60));
        output.WriteLine(
            $"{2 * rounds} power failures, {states} different states of disks, {load.Known.Count} files; seed {seed}"
        );
        Showing.Tell("states after a power failure tried on nodes under load", states);
    }

    private static async Task<int> FailAsync(PoweredNode node, UploadLoad load, Random random)
    {
        load.Limit += 40;
        await node.StartAsync(cut: random.Next(200, 1200));
        await node.FailAsync(patience: TimeSpan.FromSeconds(Showing.Of(5, 20)));
        return await node.LoseWhatWasNotFlushedAsync(random, states: Showing.Of(15, 60));
    }
}
