using FileTransfer.Bandwidth;
using FileTransfer.Cli.Simulation;

namespace FileTransfer.Tests.Cli.Simulation;

public sealed class SimulationTests
{
    [Fact]
    public void One_node_takes_what_its_link_takes()
    {
        var result = SimulationResult.Run(new SimulatedWorld { Size = 100_000_000, Up = new ByteRate(20_000_000) });
        result.Stored.ShouldBe(1);
        result.All.TotalSeconds.ShouldBeInRange(5, 5.7);
        result.LeaderCopies.ShouldBeInRange(1, 1.05);
    }

    [Fact]
    public void The_same_seed_gives_the_same_run_and_another_one_another()
    {
        var world = new SimulatedWorld
        {
            Nodes = 50,
            Loss = 0.02,
            Churn = 100,
        };
        var result = SimulationResult.Run(world);
        SimulationResult.Run(world).ShouldBe(result);
        SimulationResult.Run(world with { Seed = 2 }).Events.ShouldNotBe(result.Events);
    }

    [Fact]
    public void A_content_spreads_in_time_that_grows_like_the_logarithm_of_the_nodes_and_the_leader_sends_two_copies()
    {
        var times = new List<double>();
        foreach (var nodes in new[] { 10, 100, 1_000 })
        {
            var result = SimulationResult.Run(new SimulatedWorld { Nodes = nodes });
            result.Stored.ShouldBe(nodes);
            result.LeaderCopies.ShouldBeLessThan(2.2);
            times.Add(result.All.TotalSeconds);
        }

        // Ten times the nodes cost about the same each time.
        (times[2] - times[1]).ShouldBeLessThan(2 * (times[1] - times[0]));
        times[2].ShouldBeLessThan(335.5 / 20);
    }

    [Fact]
    public void With_broken_connections_and_killed_nodes_everyone_gets_it_all_the_same()
    {
        var result = SimulationResult.Run(
            new SimulatedWorld
            {
                Nodes = 100,
                Size = 100_000_000,
                Loss = 0.1,
                Churn = 300,
            }
        );
        result.Stored.ShouldBe(100);
        result.LeaderCopies.ShouldBeLessThan(5);
    }

    [Fact]
    public void A_content_of_one_window_is_given_to_everyone_at_once()
    {
        var result = SimulationResult.Run(new SimulatedWorld { Nodes = 20, Size = 1_000_000 });
        (result.Stored, result.TurnedAway).ShouldBe((20, 0));
    }
}
