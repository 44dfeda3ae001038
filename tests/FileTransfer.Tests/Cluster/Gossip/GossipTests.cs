using FileTransfer.Cli.Simulation;
using FileTransfer.Cluster.Gossip;

namespace FileTransfer.Tests.Cluster.Gossip;

public sealed class GossipTests
{
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Five_nodes_find_each_other_from_one_seed_within_five_seconds()
    {
        var network = Strangers(5);

        network.Until(() => network.AllSee(PeerStatus.Alive), _minute)!.Value.TotalSeconds.ShouldBeLessThanOrEqualTo(5);
        network.AllAgree().ShouldBeTrue();
    }

    [Fact]
    public void A_seed_that_is_down_at_the_start_is_asked_until_it_is_there()
    {
        var network = Strangers(4);
        network.Nodes[0].Kill();
        network.Pass(_minute);
        network.Nodes[1].Machine.Peers().ShouldBeEmpty();

        network.Nodes[0].Restart();
        network.Until(() => network.AllSee(PeerStatus.Alive), _minute)!.Value.TotalSeconds.ShouldBeLessThanOrEqualTo(6);
    }

    [Fact]
    public void A_killed_node_is_seen_dead_by_all_within_ten_seconds()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var network = Acquainted(5, seed);
            network.Pass(_minute);
            network.Nodes[3].Kill();

            var time = network.Until(() => network.AllSee(PeerStatus.Dead, network.Nodes[3]), _minute);
            time!.Value.TotalSeconds.ShouldBeLessThanOrEqualTo(10);
            network.Nodes[0].Machine.Peers().Count(peer => peer.Status == PeerStatus.Alive).ShouldBe(3);
        }
    }

    [Fact]
    public void A_change_is_known_everywhere_after_a_few_rounds()
    {
        var network = Acquainted(300);
        network.Pass(_minute);
        network.Nodes[7].Change();

        network.Until(() => network.AllKnow(network.Nodes[7]), _minute)!.Value.TotalSeconds.ShouldBeLessThanOrEqualTo(12);
    }

    private static GossipNetwork Strangers(int nodes)
    {
        var network = new GossipNetwork(new GossipWorld { Nodes = nodes, Loss = 0 }, GossipLimits.Default);
        network.Seed(network.Nodes[0]);
        return network;
    }

    private static GossipNetwork Acquainted(int nodes, int seed = 1)
    {
        var network = new GossipNetwork(
            new GossipWorld
            {
                Nodes = nodes,
                Loss = 0.01,
                Seed = seed,
            },
            GossipLimits.Default
        );
        network.Acquaint();
        return network;
    }
}
