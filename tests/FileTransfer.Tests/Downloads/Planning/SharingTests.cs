using FileTransfer.Catalog.Replicas;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;
using static FileTransfer.Tests.Downloads.Planning.PlannerDriver;

namespace FileTransfer.Tests.Downloads.Planning;

/// <summary>Files that other nodes download at the same time.</summary>
public sealed class SharingTests
{
    private const int Windows = 100;

    /// <summary>It has everything, and does not answer.</summary>
    private static readonly SourceHint _absent = Leader("x");

    private readonly PlannerDriver _driver = new();

    [Fact]
    public void Nodes_that_see_the_same_leader_ask_it_for_different_windows()
    {
        var asked = Enumerable
            .Range(0, 20)
            .Select(seed =>
            {
                var driver = new PlannerDriver(seed: seed);
                driver.BringUp(Leader("l"));
                driver.Want(1, Windows * WindowChunks, [Leader("l"), Partial("p")], hashesProven: true, competingNodes: 19);
                return WindowOf(driver.InFlight[0]).First;
            })
            .Distinct();
        asked.Count().ShouldBeGreaterThan(10);
    }

    [Fact]
    public void Without_other_nodes_windows_are_asked_for_in_order()
    {
        _driver.BringUp(Leader("l"));
        _driver.Want(1, Windows * WindowChunks, [Leader("l")], hashesProven: true);
        WindowOf(_driver.InFlight[0]).First.ShouldBe(0);
    }

    [Fact]
    public void Who_downloads_it_too_is_asked_for_what_it_has_or_is_about_to_have_and_the_leader_for_the_rest()
    {
        var file = Begin(Leader("l"), Partial("p"));
        Has(file, "p", 5, PartState.Here);
        Has(file, "p", 6, PartState.Coming);
        AskedOf("p").ShouldBe([5, 6], ignoreOrder: true);

        while (AskedOf("l") is [_, ..] && _driver.InFlight.Find(fetch => fetch.Source == Leader("l").Id) is { } next)
        {
            AskedOf("l").ShouldNotContain(window => window == 5 || window == 6);
            _driver.Done(next);
        }

        _driver.InFlight.ShouldNotContain(fetch => fetch.Source == Leader("l").Id, "it is spared what p has");
    }

    [Fact]
    public void Of_what_a_source_has_the_rarest_comes_first()
    {
        var file = Begin(_absent, Partial("p"), Partial("q"));
        for (var window = 0; window <= 30; window++)
        {
            Has(file, "p", window, PartState.Here);
            Has(file, "q", window, window == 30 ? PartState.Missing : PartState.Here);
        }

        _driver.Done(_driver.InFlight.First(fetch => fetch.Source == Partial("p").Id));
        AskedOf("p").ShouldContain(30);
    }

    [Fact]
    public void What_was_asked_for_in_vain_is_asked_of_those_alone_who_have_it()
    {
        var file = Begin(_absent, Partial("p"), Partial("q"));
        Has(file, "p", 5, PartState.Coming);
        Has(file, "q", 5, PartState.Coming);
        var first = _driver.InFlight.ShouldHaveSingleItem();
        _driver.Fail(first, SourceFaultKind.EndedEarly);
        _driver.InFlight.ShouldBeEmpty("both wait for it themselves");
        Has(file, "q", 5, PartState.Here);
        Has(file, "p", 5, PartState.Here);
        _driver.Pass(1000);
        _driver.InFlight.ShouldHaveSingleItem();
    }

    [Fact]
    public void Who_does_not_send_what_it_was_to_have_is_not_at_fault()
    {
        var file = Begin(Leader("l"), Partial("p"));
        Has(file, "p", 5, PartState.Coming);
        var fetch = _driver.InFlight.Single(fetch => fetch.Source == Partial("p").Id);
        _driver.Fail(fetch, SourceFaultKind.NotFound);
        _driver.All.OfType<PlannerAction.ReportCorruption>().ShouldBeEmpty();
        Has(file, "p", 7, PartState.Here);
        _driver.Pass(500);
        AskedOf("p").ShouldBe([7]);
    }

    [Fact]
    public void Who_passes_on_wrong_bytes_is_blamed_and_others_are_asked()
    {
        var file = Begin(Leader("l"), Partial("p"));
        Has(file, "p", 5, PartState.Here);
        _driver.Fail(_driver.InFlight.Single(fetch => fetch.Source == Partial("p").Id), SourceFaultKind.Corrupt);
        _driver.Only<PlannerAction.ReportCorruption>().Source.ShouldBe(Partial("p").Id);
        Has(file, "p", 7, PartState.Here);
        AskedOf("p").ShouldBeEmpty();
        Finish(file, "l");
        AskedEverOf("l").ShouldContain(5);
    }

    [Fact]
    public void A_source_that_sends_a_window_to_another_is_asked_for_another_window()
    {
        Begin(Leader("l"), Partial("p"));
        var refused = _driver.InFlight[0];
        _driver.Fail(refused, SourceFaultKind.Busy, TimeSpan.FromSeconds(1));
        AskedOf("l").Count.ShouldBe(2);
        AskedOf("l").ShouldNotContain((int)(WindowOf(refused).First / WindowChunks));
    }

    [Fact]
    public void Who_does_not_report_any_more_is_not_asked()
    {
        var file = Begin(_absent, Partial("p"));
        _driver.Tell(new PlannerEvent.PartsEnded(Partial("p").Id, file));
        Has(file, "p", 5, PartState.Here);
        _driver.InFlight.ShouldBeEmpty();
        _driver.Tell(new PlannerEvent.PartsBegun(Partial("p").Id, file));
        Has(file, "p", 6, PartState.Here);
        AskedOf("p").ShouldBe([5, 6], ignoreOrder: true);
    }

    [Fact]
    public void A_file_of_which_others_get_nothing_more_leaves_its_lane()
    {
        var file = Begin(_absent, Partial("p"));
        Has(file, "p", 5, PartState.Here);
        _driver.Done(_driver.InFlight.Single());
        _driver.Pass(9_900);
        _driver.All.OfType<PlannerAction.Ended>().ShouldNotContain(end => end.File == file);
        _driver.Pass(200);
        var defer = _driver.Only<PlannerAction.Defer>();
        defer.Kind.ShouldBe(WaitCondition.Permit);
        defer.Reason.ShouldContain("node p");
    }

    [Fact]
    public void Hashes_come_from_who_has_proven_them_and_the_leader_is_asked_last()
    {
        var file = _driver.Want(1, 10 * WindowChunks, [Leader("l"), Partial("p"), Partial("q")], competingNodes: 2);
        _driver.InFlight.ShouldBeEmpty();
        _driver.Tell(new PlannerEvent.PartsBegun(Partial("q").Id, file));
        _driver.Answer(Leader("l"));
        _driver.InFlight.ShouldAllBe(fetch => fetch.Source == Partial("q").Id);
        _driver.Fail(_driver.InFlight[0], SourceFaultKind.Busy);
        _driver.InFlight.ShouldContain(fetch => fetch.Source == Leader("l").Id);
    }

    private FileKey Begin(params SourceHint[] sources)
    {
        _driver.BringUp([.. sources.Where(source => !source.IsPartial && source != _absent)]);
        var file = _driver.Want(1, Windows * WindowChunks, sources, hashesProven: true, competingNodes: 5);
        foreach (var source in sources.Where(source => source.IsPartial))
        {
            _driver.Tell(new PlannerEvent.PartsBegun(source.Id, file));
        }

        return file;
    }

    private void Has(FileKey file, string node, int window, PartState state) =>
        _driver.Tell(new PlannerEvent.PartChanged(Partial(node).Id, file, window, state));

    private void Finish(FileKey file, string node)
    {
        while (!_driver.All.Contains(new PlannerAction.Finish(file)))
        {
            _driver.Done(_driver.InFlight.First(fetch => fetch.Source == Node(node).Id));
        }
    }

    private List<int> AskedOf(string node) => [.. WindowsOf(_driver.InFlight, node)];

    private List<int> AskedEverOf(string node) => [.. WindowsOf(_driver.All.OfType<PlannerAction.Fetch>(), node)];

    private static IEnumerable<int> WindowsOf(IEnumerable<PlannerAction.Fetch> fetches, string node) =>
        fetches
            .Where(fetch => fetch.Source == Node(node).Id && fetch.File == Key(1))
            .Select(fetch => (int)(WindowOf(fetch).First / WindowChunks));
}
