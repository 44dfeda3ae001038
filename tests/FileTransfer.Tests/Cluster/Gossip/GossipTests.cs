using FileTransfer.Cli.Simulation;
using FileTransfer.Cluster.Gossip;

namespace FileTransfer.Tests.Cluster.Gossip;

/// <summary>Clusters of simulated nodes, each with the machine of the program.</summary>
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
    public void Two_hundred_nodes_find_each_other_from_one_seed()
    {
        var network = Strangers(200);

        network.Until(() => network.AllSee(PeerStatus.Alive), _minute)!.Value.TotalSeconds.ShouldBeLessThanOrEqualTo(30);
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
    public void With_lost_messages_nobody_is_seen_dead_who_is_not()
    {
        var network = Acquainted(50);
        var dead = 0;
        network.Said = (_, said) => dead += said is GossipAction.Changed { Status: PeerStatus.Dead } ? 1 : 0;

        network.Pass(10 * _minute);
        dead.ShouldBe(0);
    }

    [Fact]
    public void A_change_is_known_everywhere_after_a_few_rounds()
    {
        var network = Acquainted(300);
        network.Pass(_minute);
        network.Nodes[7].Change();

        network.Until(() => network.AllKnow(network.Nodes[7]), _minute)!.Value.TotalSeconds.ShouldBeLessThanOrEqualTo(12);
    }

    [Fact]
    public void What_nobody_is_told_any_more_is_found_by_comparison()
    {
        var network = Acquainted(300);
        network.Nodes[7].Side = 1;
        network.Nodes[8].Change();
        network.Pass(_minute / 2);
        network.Nodes[7].Side = 0;

        network.Until(network.AllAgree, _minute).ShouldNotBeNull();
        network.AllKnow(network.Nodes[8]).ShouldBeTrue();
    }

    [Fact]
    public void Halves_that_did_not_reach_each_other_see_each_other_dead_and_agree_when_they_do()
    {
        var network = Acquainted(40);
        foreach (var node in network.Nodes.Take(20))
        {
            node.Side = 1;
        }

        network.Pass(_minute);
        network.Nodes[0].Machine.Peers().Count(peer => peer.Status == PeerStatus.Dead).ShouldBe(20);
        network.Nodes[39].Machine.Peers().Count(peer => peer.Status == PeerStatus.Alive).ShouldBe(19);

        foreach (var node in network.Nodes)
        {
            node.Side = 0;
        }

        network.Until(() => network.AllSee(PeerStatus.Alive), _minute)!.Value.TotalSeconds.ShouldBeLessThanOrEqualTo(15);
        network.Until(network.AllAgree, _minute).ShouldNotBeNull();
    }

    [Fact]
    public void A_node_that_was_stopped_itself_holds_nobody_dead_and_is_alive_again_when_it_goes_on()
    {
        var network = Acquainted(5);
        network.Pass(_minute);
        var stopped = network.Nodes[2];
        var wronged = 0;
        network.Said = (node, said) =>
            wronged += node == stopped && said is GossipAction.Changed { Status: not PeerStatus.Alive } ? 1 : 0;
        stopped.Stop();
        network.Pass(_minute / 2);
        network.AllSee(PeerStatus.Dead, stopped).ShouldBeTrue();

        stopped.Continue();
        network.Until(() => network.AllSee(PeerStatus.Alive), _minute)!.Value.TotalSeconds.ShouldBeLessThanOrEqualTo(10);
        wronged.ShouldBe(0);
    }

    [Fact]
    public void A_node_that_starts_anew_replaces_what_it_was_and_is_unknown_until_it_answers()
    {
        var network = Acquainted(5);
        network.Seed(network.Nodes[0]);
        var first = network.Nodes[3].Words;
        network.Nodes[3].Kill();
        network.Nodes[3].Restart();

        network.Until(() => network.AllKnow(network.Nodes[3]) && network.AllSee(PeerStatus.Alive), _minute).ShouldNotBeNull();
        network.Nodes[3].Words.IsNewerThan(first).ShouldBeTrue();
    }

    [Fact]
    public void A_node_whose_clock_went_back_takes_a_generation_above_that_of_its_former_run()
    {
        var network = Acquainted(5);
        network.Seed(network.Nodes[0]);
        var (node, former) = (network.Nodes[3], network.Nodes[3].Words.Content.Generation);
        network.Said = (one, said) =>
        {
            if (one == node && said is GossipAction.Announce announce)
            {
                one.Restart(announce.AboveGeneration + 1);
            }
        };
        node.Restart(former - 1_000_000);

        network.Until(() => node.Words.Content.Generation > former && network.AllKnow(node), _minute).ShouldNotBeNull();
    }

    [Fact]
    public void Who_was_dead_for_long_is_forgotten_by_all_and_comes_back_only_by_itself()
    {
        var limits = GossipLimits.Default with { ForgetAfter = 10 * _minute };
        var network = new GossipNetwork(new GossipWorld { Nodes = 5, Loss = 0 }, limits);
        network.Seed(network.Nodes[0]);
        network.Acquaint();
        var (gone, keeper) = (network.Nodes[4], network.Nodes[3]);
        keeper.Side = 1;
        gone.Side = 1;
        network.Pass(6 * _minute);
        foreach (var node in network.Nodes.Where(node => node != gone))
        {
            node.Change(isRenewal: true);
        }

        network.Pass(5 * _minute);
        var others = network.Nodes.Take(3).ToList();
        others.ShouldAllBe(node => node.Machine.Find(gone.Name) == null);

        gone.Kill();
        keeper.Side = 0;
        network.Pass(2 * _minute);
        keeper.Machine.Find(gone.Name).ShouldNotBeNull("the others have forgotten it, this one has not yet");
        others.ShouldAllBe(node => node.Machine.Find(gone.Name) == null);

        gone.Side = 0;
        gone.Restart();
        network.Until(() => network.AllSee(PeerStatus.Alive), _minute).ShouldNotBeNull();
    }

    [Fact]
    public void While_nothing_changes_a_node_sends_one_digest_and_gets_one()
    {
        var network = Acquainted(20, loss: 0);
        network.Pass(_minute);
        var before = network.Nodes.Sum(node => node.BytesSent);
        network.Pass(_minute);

        var perSecond = (network.Nodes.Sum(node => node.BytesSent) - before) / 20.0 / 60;
        perSecond.ShouldBe(
            GossipWorld.RequestHead + GossipWorld.AnswerHead + (2 * """{"digest":"0123456789012345678901"}""".Length),
            10
        );
    }

    private static GossipNetwork Strangers(int nodes)
    {
        var network = new GossipNetwork(new GossipWorld { Nodes = nodes, Loss = 0 }, GossipLimits.Default);
        network.Seed(network.Nodes[0]);
        return network;
    }

    private static GossipNetwork Acquainted(int nodes, int seed = 1, double loss = 0.01)
    {
        var network = new GossipNetwork(
            new GossipWorld
            {
                Nodes = nodes,
                Loss = loss,
                Seed = seed,
            },
            GossipLimits.Default
        );
        network.Acquaint();
        return network;
    }
}
