using FileTransfer.Downloads.Simulation;

namespace FileTransfer.Tests.Downloads.Simulation;

public sealed class SimulationTests
{
    private static readonly SimulatedWorld _world = new();

    [Fact]
    public void Time_to_all_grows_with_the_logarithm_of_the_nodes_and_the_leader_sends_about_two_copies()
    {
        var few = SimulationResult.Run(_world with { Nodes = 10 });
        var many = SimulationResult.Run(_world with { Nodes = 1000 });

        few.Stored.ShouldBe(10);
        many.Stored.ShouldBe(1000);
        many.LeaderCopies.ShouldBeLessThan(2.5);
        few.LeaderCopies.ShouldBeLessThan(2.5);

        // A hundred times the nodes are seven doublings more; with the leader alone they take a hundred times as long.
        (many.All / few.All).ShouldBeLessThan(5);
        (many.World.LeaderAlone / many.All).ShouldBeGreaterThan(30);
    }

    [Fact]
    public void The_same_seed_gives_the_same_run_and_another_one_another()
    {
        var world = _world with { Nodes = 40, Loss = 0.02, Churn = 20 };

        var run = SimulationResult.Run(world);

        run.Stored.ShouldBe(40);
        SimulationResult.Run(world).ShouldBe(run);
        SimulationResult.Run(world with { Seed = 2 }).Events.ShouldNotBe(run.Events);
    }
}
