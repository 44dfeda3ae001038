using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Sources;
using FileTransfer.Identity;
using static FileTransfer.Tests.Downloads.Planning.PlannerDriver;

namespace FileTransfer.Tests.Downloads.Planning;

public sealed class SourceFaultTests
{
    private readonly PlannerDriver _driver = new();

    [Fact]
    public void A_source_that_lies_is_named_and_dropped_for_that_file()
    {
        _driver.BringUp(Node("a"), Node("b"));
        var key = _driver.Want(1, 100 * WindowChunks, [Node("a"), Node("b")], hashesProven: true);
        var lie = At("a")[0];
        _driver.Came(lie, 500);
        _driver.Fail(lie, SourceFaultKind.Lied);

        var blame = _driver.Only<PlannerAction.Blame>();
        (blame.Source, blame.File).ShouldBe((Node("a").Id, key));
        At("a").ShouldBeEmpty();
        FetchAll();
        _driver.Last.ShouldContain(new PlannerAction.Finish(key));
        _driver
            .All.OfType<PlannerAction.Fetch>()
            .SkipWhile(fetch => fetch != lie)
            .ShouldNotContain(fetch => IsLaterAt(fetch, "a", lie));

        // For another file it is asked, and for this one not even later.
        _driver.Want(2, 10, [Node("a")]);
        At("a").ShouldHaveSingleItem();
        _driver.Want(1, 10, [Node("a")]);
        _driver.Only<PlannerAction.GiveUp>().File.ShouldBe(key);
    }

    [Fact]
    public void A_source_that_lies_about_two_files_is_out_until_it_is_added_again()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 10, [Node("a")]);
        _driver.Want(2, 10, [Node("a")]);
        var third = _driver.Want(3, 10, [Node("a")]);
        _driver.Fail(At("a")[0], SourceFaultKind.Lied);
        _driver.Fail(At("a")[0], SourceFaultKind.Lied);

        _driver.Only<PlannerAction.Cancel>();
        _driver.Last.OfType<PlannerAction.GiveUp>().ShouldContain(gone => gone.File == third);
        _driver.Want(4, 10, [Node("a")]);
        _driver.Only<PlannerAction.GiveUp>();

        _driver.Tell(new PlannerEvent.SourceReadded(Node("a").Id));
        _driver.Want(1, 10, [Node("a")]);
        _driver.Only<PlannerAction.Probe>();
        _driver.Answer(Node("a"));
        _driver.OnlyFetch();
    }

    [Fact]
    public void Not_found_loses_that_file_only()
    {
        _driver.BringUp(Node("a"), Node("b"));
        _driver.Want(1, 10, [Node("a"), Node("b")]);
        var first = _driver.OnlyFetch();
        _driver.Fail(first, SourceFaultKind.NotFound);
        var second = _driver.OnlyFetch();
        second.Source.ShouldNotBe(first.Source);
        _driver.Fail(second, SourceFaultKind.NotFound);
        _driver.Only<PlannerAction.Park>().Kind.ShouldBe(ParkKind.NoSource);

        _driver.Want(2, 10, [Node("a")]);
        _driver.OnlyFetch();
    }

    [Fact]
    public void A_source_that_fails_rests_and_the_others_go_on()
    {
        _driver.BringUp(Node("a"), Node("b"));
        _driver.Want(1, 100 * WindowChunks, [Node("a"), Node("b")], hashesProven: true);
        var failed = At("a")[0];
        _driver.Fail(failed, SourceFaultKind.Unreachable);
        At("b").Count.ShouldBe(2);
        _driver.Done(At("b")[0]);
        WindowOf(_driver.OnlyFetch()).ShouldBe(WindowOf(failed)); // What it did not bring is first.
        At("a").Count.ShouldBe(1); // What it is bringing is left alone.
    }

    [Fact]
    public void Three_failures_that_bring_nothing_are_one_attempt_spent()
    {
        _driver.BringUp(Node("a"));
        var key = _driver.Want(1, 10, [Node("a")]);
        for (var failure = 0; failure < 3; failure++)
        {
            ReturnUntilFetched(key, "a");
            _driver.Fail(At("a").ShouldHaveSingleItem(), SourceFaultKind.EndedEarly);
        }

        _driver.Only<PlannerAction.GiveUp>().Reason.ShouldContain("node a failed");
    }

    [Fact]
    public void Failures_are_counted_on_while_the_file_is_parked_between_them()
    {
        var driver = new PlannerDriver(
            new PlannerLimits { FirstRest = TimeSpan.FromMinutes(5), LongestRest = TimeSpan.FromMinutes(5) }
        );
        driver.BringUp(Node("a"));
        for (var failure = 1; failure <= 3; failure++)
        {
            driver.Want(1, 10, [Node("a")]);
            driver.Fail(driver.OnlyFetch(), SourceFaultKind.EndedEarly);
            if (failure < 3)
            {
                driver.Only<PlannerAction.Park>().Kind.ShouldBe(ParkKind.Source);
                driver.Pass(300_000);
                driver.BringUp(Node("a"));
            }
        }

        driver.Only<PlannerAction.GiveUp>();
    }

    [Fact]
    public void A_source_that_dies_after_each_bit_of_progress_is_never_given_up()
    {
        _driver.BringUp(Node("a"));
        var key = _driver.Want(1, 100, [Node("a")], hashesProven: true);
        for (var chunk = 0; chunk < 99; chunk++)
        {
            ReturnUntilFetched(key, "a");
            var fetch = At("a").ShouldHaveSingleItem();
            WindowOf(fetch).First.ShouldBe(chunk);
            _driver.Came(fetch, 1);
            _driver.Fail(fetch, SourceFaultKind.EndedEarly);
        }

        _driver.All.OfType<PlannerAction.GiveUp>().ShouldBeEmpty();
    }

    [Fact]
    public void A_refusal_is_of_that_file_only_and_ends_its_attempt_when_nobody_else_has_it()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 10, [Node("a")]);
        var other = _driver.Want(2, 10, [Node("a")]);
        for (var refusal = 0; refusal < 3 && At("a").Find(fetch => fetch.File == Key(1)) is { } fetch; refusal++)
        {
            _driver.Fail(fetch, SourceFaultKind.Refused);
            if (_driver.Last.Count == 0)
            {
                _driver.Pass(110);
            }
        }

        _driver.All.OfType<PlannerAction.GiveUp>().ShouldHaveSingleItem().File.ShouldBe(Key(1));
        At("a").ShouldHaveSingleItem().File.ShouldBe(other);
    }

    [Fact]
    public void A_fault_of_this_node_ends_the_attempt_and_blames_nobody()
    {
        _driver.BringUp(Node("a"), Node("b"));
        _driver.Want(1, 100 * WindowChunks, [Node("a"), Node("b")], hashesProven: true);
        _driver.Fail(At("a")[0], SourceFaultKind.Local);
        _driver.Last.OfType<PlannerAction.Cancel>().Count().ShouldBe(3);
        _driver.Only<PlannerAction.GiveUp>();
        _driver.InFlight.ShouldBeEmpty();
    }

    [Fact]
    public void A_source_that_is_up_and_silent_on_a_request_is_away_after_a_second()
    {
        _driver.BringUp(Node("a"), Node("b"));
        _driver.Want(1, 10, [Node("a"), Node("b")]);
        var silent = _driver.OnlyFetch();
        _driver.Pass(999);
        _driver.Last.ShouldBeEmpty();
        _driver.Pass(1);
        _driver.Only<PlannerAction.Cancel>().Request.ShouldBe(silent.Request);
        _driver.OnlyFetch().Source.ShouldNotBe(silent.Source);
    }

    [Fact]
    public void A_source_that_answers_is_left_to_whoever_watches_its_rate()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 10, [Node("a")]);
        _driver.Tell(new PlannerEvent.RequestAnswered(_driver.OnlyFetch().Request));
        _driver.Pass(60_000);
        _driver.Last.ShouldBeEmpty();
    }

    private List<PlannerAction.Fetch> At(string node) => _driver.InFlight.FindAll(fetch => fetch.Source == Node(node).Id);

    private static bool IsLaterAt(PlannerAction.Fetch fetch, string node, PlannerAction.Fetch than) =>
        fetch.Source == Node(node).Id && fetch.Request.Value > than.Request.Value + 4;

    private void FetchAll()
    {
        while (_driver.InFlight.Count > 0)
        {
            _driver.Done(_driver.InFlight[0]);
        }
    }

    /// <summary>Answers probes, and wants the file again whenever it was parked, until it is asked for.</summary>
    private void ReturnUntilFetched(FileKey key, string node)
    {
        for (var round = 0; At(node).Count == 0; round++)
        {
            round.ShouldBeLessThan(100);
            if (_driver.Last.OfType<PlannerAction.Park>().Any())
            {
                _driver.Want(1, 10, [Node(node)]);
            }
            else if (_driver.Last.OfType<PlannerAction.Probe>().Any())
            {
                _driver.Answer(Node(node));
            }
            else
            {
                _driver.Pass(50);
            }
        }
    }
}
