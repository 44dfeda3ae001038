using FileTransfer.Catalog.Replicas;
using FileTransfer.Downloads.Planning;
using static FileTransfer.Tests.Downloads.Planning.PlannerDriver;

namespace FileTransfer.Tests.Downloads.Planning;

public sealed class WaitingTests
{
    private readonly PlannerDriver _driver = new();

    [Fact]
    public void A_source_that_says_nothing_costs_a_lane_a_tenth_of_a_second()
    {
        var key = _driver.Want(1, 10, [Node("a")]);
        _driver.Pass(99);
        _driver.Last.ShouldBeEmpty();
        _driver.Pass(1);
        var defer = _driver.Only<PlannerAction.Defer>();
        (defer.File, defer.Kind).ShouldBe((key, WaitCondition.Source));
        defer.Reason.ShouldContain("node a");
        defer.RetryIn.ShouldBeGreaterThan(TimeSpan.Zero);

        // The next file that only this source has does not even wait.
        _driver.Pass(1_000);
        _driver.Silence(Node("a"), "node a did not answer");
        _driver.Want(2, 10, [Node("a")]);
        _driver.Only<PlannerAction.Defer>().Reason.ShouldContain("node a did not answer");
    }

    [Fact]
    public void Silent_sources_that_appear_one_after_the_other_do_not_hold_a_lane()
    {
        var sources = new List<SourceHint> { Node("0") };
        var key = _driver.Want(1, 10, [.. sources]);
        for (var next = 1; next < 3; next++)
        {
            _driver.Pass(80);
            _driver.Last.ShouldBeEmpty();
            sources.Add(Node($"{next}"));
            _driver.Tell(new PlannerEvent.SourcesChanged(key, [.. sources], 0));
        }

        _driver.Pass(40);
        _driver.Only<PlannerAction.Defer>().Reason.ShouldContain("node 2 has not answered yet");
    }

    [Fact]
    public void A_dead_source_parks_its_file_at_once()
    {
        _driver.Want(1, 10, [Node("a")]);
        _driver.Silence(Node("a"), "node a refused the connection");
        _driver.Only<PlannerAction.Defer>().Reason.ShouldContain("node a refused the connection");
    }

    [Fact]
    public void An_awaited_source_is_probed_at_least_every_two_seconds_and_its_answer_wakes_the_files()
    {
        _driver.Want(1, 10, [Node("a")]);
        _driver.Silence(Node("a"));
        for (var probe = 0; probe < 5; probe++)
        {
            _driver.Pass(1_600);
            _driver.Only<PlannerAction.Probe>().Source.ShouldBe(Node("a").Id);
            _driver.Silence(Node("a"));
            if (probe % 2 == 1)
            {
                _driver.Want(1, 10, [Node("a")]);
                _driver.Only<PlannerAction.Defer>();
            }
        }

        _driver.Pass(1_600);
        _driver.Answer(Node("a"));
        _driver.Only<PlannerAction.Wake>().Source.ShouldBe(Node("a").Id);
        _driver.Want(1, 10, [Node("a")]);
        _driver.OnlyFetch();
    }

    [Fact]
    public void A_source_that_nobody_comes_back_for_is_not_probed_for_ever()
    {
        _driver.Want(1, 10, [Node("a")]);
        _driver.Silence(Node("a"));
        for (var seconds = 0; seconds < 600; seconds++)
        {
            _driver.Pass(1_000);
            if (_driver.Last.OfType<PlannerAction.Probe>().Any())
            {
                _driver.Silence(Node("a"));
            }
        }

        _driver.Pass(60_000);
        _driver.Last.ShouldBeEmpty();
        _driver.Planner.NextTick.ShouldBeNull();
    }

    [Fact]
    public void A_source_that_is_up_is_not_waited_for_with_those_that_are_not()
    {
        _driver.BringUp(Node("b"));
        _driver.Want(1, 10, [Node("a"), Node("b")]);
        _driver.OnlyFetch().Source.ShouldBe(Node("b").Id);
        _driver.Pass(500);
        _driver.Silence(Node("a"));
        _driver.All.OfType<PlannerAction.Defer>().ShouldBeEmpty();
    }

    [Fact]
    public void Without_a_source_a_file_is_parked_at_once()
    {
        _driver.Want(1, 10, []);
        var defer = _driver.Only<PlannerAction.Defer>();
        defer.Kind.ShouldBe(WaitCondition.Provider);
        defer.Reason.ShouldBe("no other node has it stored");
    }

    [Fact]
    public void Busy_sources_are_asked_in_turn_and_then_the_file_waits_for_its_turn()
    {
        _driver.BringUp(Node("a"), Node("b"));
        _driver.Want(1, 100 * WindowChunks, [Node("a"), Node("b")], hashesProven: true, competingNodes: 5);
        while (_driver.InFlight.Count > 0)
        {
            _driver.Fail(_driver.InFlight[0], SourceFaultKind.Busy, TimeSpan.FromSeconds(1));
        }

        var park = _driver.Only<PlannerAction.Defer>();
        park.Kind.ShouldBe(WaitCondition.Permit);
        park.Reason.ShouldContain("node a serves another node");
        park.Reason.ShouldContain("node b serves another node");
        park.RetryIn.ShouldBeInRange(TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1.5));
        _driver.All.OfType<PlannerAction.ReportCorruption>().ShouldBeEmpty();
    }

    [Fact]
    public void A_busy_source_is_asked_again_after_the_time_it_named()
    {
        _driver.BringUp(Node("a"), Node("b"));
        _driver.Want(1, 10, [Node("a"), Node("b")]);
        var busy = _driver.OnlyFetch();
        _driver.Fail(busy, SourceFaultKind.Busy, TimeSpan.FromSeconds(1));
        var other = _driver.OnlyFetch();
        _driver.Tell(new PlannerEvent.RequestAnswered(other.Request));
        _driver.Pass(950);
        _driver.Fail(other, SourceFaultKind.NotFound);
        _driver.Last.ShouldBeEmpty();
        _driver.Pass(50);
        _driver.OnlyFetch().Source.ShouldBe(busy.Source);
    }

    [Fact]
    public void A_file_that_comes_back_asks_busy_sources_anew()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 10, [Node("a")]);
        _driver.Fail(_driver.OnlyFetch(), SourceFaultKind.Busy, TimeSpan.FromSeconds(9));
        _driver.Only<PlannerAction.Defer>();
        _driver.Want(1, 10, [Node("a")]);
        _driver.OnlyFetch();
    }

    [Fact]
    public void A_running_download_gains_sources()
    {
        _driver.BringUp(Node("a"), Node("b"));
        var key = _driver.Want(1, 100 * WindowChunks, [Node("a")], hashesProven: true);
        _driver.Tell(new PlannerEvent.SourcesChanged(key, [Node("b"), Node("a")], 0));
        _driver.Last.OfType<PlannerAction.Fetch>().Select(fetch => fetch.Source).ShouldBe([Node("b").Id, Node("b").Id]);
    }

    [Fact]
    public void The_leader_is_left_alone_when_others_want_the_file_and_two_nodes_have_it()
    {
        _driver.BringUp(Leader("l"), Node("a"), Node("b"));
        _driver.Want(1, 100 * WindowChunks, [Leader("l"), Node("a"), Node("b")], hashesProven: true, competingNodes: 1);
        while (_driver.InFlight.Count > 0)
        {
            _driver.InFlight.ShouldNotContain(fetch => fetch.Source == Leader("l").Id);
            _driver.Fail(_driver.InFlight[0], SourceFaultKind.Busy, TimeSpan.FromSeconds(1));
        }

        _driver.Only<PlannerAction.Defer>().Kind.ShouldBe(WaitCondition.Permit);
        _driver.Want(2, 100 * WindowChunks, [Leader("l"), Node("a")], hashesProven: true, competingNodes: 0);
        _driver.InFlight.ShouldContain(fetch => fetch.Source == Leader("l").Id);
    }
}
