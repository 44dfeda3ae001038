using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;
using static FileTransfer.Tests.Downloads.Planning.PlannerDriver;

namespace FileTransfer.Tests.Downloads.Planning;

/// <summary>Sources that are away, silent, busy or without the file.</summary>
public sealed class SourceFaultTests
{
    private readonly PlannerDriver _driver = new();

    [Fact]
    public void A_source_that_wants_to_be_left_alone_is_by_all_files_for_as_long_as_it_says_and_no_attempt_is_spent()
    {
        _driver.BringUp(Node("a"), Node("b"));
        _driver.Want(1, 10, [Node("a")]);
        _driver.Fail(_driver.OnlyFetch(), SourceFaultKind.Throttled, TimeSpan.FromSeconds(30));
        var defer = _driver.Only<PlannerAction.Defer>();
        defer.Kind.ShouldBe(WaitCondition.Time);
        defer.RetryIn.ShouldBeInRange(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(31));

        _driver.Want(2, 10, [Node("a")]);
        _driver.Only<PlannerAction.Defer>();
        _driver.Want(3, 10, [Node("a"), Node("b")]);
        _driver.OnlyFetch().Source.ShouldBe(Node("b").Id);

        _driver.Pass(30_000);
        _driver.Want(1, 10, [Node("a")]);
        _driver.OnlyFetch().Source.ShouldBe(Node("a").Id);
    }

    [Fact]
    public void What_a_source_was_asked_for_that_is_not_trusted_any_more_goes_to_others_at_once()
    {
        _driver.BringUp(Node("a"), Node("b"));
        _driver.Want(1, 3 * WindowChunks, [Node("a"), Node("b")], hashesProven: true);
        var asked = At("a");
        asked.ShouldNotBeEmpty();

        _driver.Tell(new PlannerEvent.SourceRevoked(Node("a").Id));

        _driver
            .Last.OfType<PlannerAction.Cancel>()
            .Select(cancel => cancel.Request)
            .ShouldBe(asked.Select(fetch => fetch.Request));
        At("a").ShouldBeEmpty();
        _driver.Want(2, 10, [Node("b")]);
        _driver.InFlight.ShouldAllBe(fetch => fetch.Source == Node("b").Id);
    }

    [Fact]
    public void A_file_whose_only_source_is_not_trusted_any_more_waits_for_another()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 10, [Node("a")]);
        _driver.OnlyFetch();

        _driver.Tell(new PlannerEvent.SourceRevoked(Node("a").Id));

        _driver.Only<PlannerAction.Defer>().Kind.ShouldBe(WaitCondition.Provider);
    }

    [Fact]
    public void However_long_a_source_wants_to_be_left_alone_it_is_asked_after_five_minutes()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 10, [Node("a")]);
        _driver.Fail(_driver.OnlyFetch(), SourceFaultKind.Throttled, TimeSpan.FromDays(1));
        _driver.Only<PlannerAction.Defer>().RetryIn.ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(301));
    }

    [Fact]
    public void A_source_that_says_later_for_more_than_an_hour_and_nothing_else_refuses()
    {
        _driver.BringUp(Node("a"));
        for (var minutes = 0; minutes <= 60; minutes += 5)
        {
            _driver.Want(1, 10, [Node("a")]);
            _driver.Fail(_driver.OnlyFetch(), SourceFaultKind.Throttled, TimeSpan.FromMinutes(5));
            _driver.Only<PlannerAction.Defer>();
            _driver.Pass(300_000);
        }

        _driver.Want(1, 10, [Node("a")]);
        for (var refusal = 0; refusal < 3 && At("a") is [var fetch]; refusal++)
        {
            _driver.Fail(fetch, SourceFaultKind.Throttled, TimeSpan.FromMinutes(5));
            _driver.Pass(110);
        }

        _driver.All.OfType<PlannerAction.GiveUp>().ShouldHaveSingleItem().Cause.ShouldBe(SourceFaultKind.Refused);
    }

    [Fact]
    public void An_attempt_in_which_nobody_was_asked_is_none()
    {
        var driver = new PlannerDriver(
            new PlannerLimits
            {
                FirstBackoff = TimeSpan.FromMinutes(5),
                LongestBackoff = TimeSpan.FromMinutes(5),
                FailuresPerFile = 1,
            }
        );
        driver.BringUp(Node("a"), Node("b"));
        driver.Want(2, 10, [Node("a")]);
        driver.Want(1, 10, [Node("a")]);
        foreach (var fetch in driver.InFlight.ToList())
        {
            driver.Fail(fetch, SourceFaultKind.EndedEarly);
        }

        driver.All.OfType<PlannerAction.GiveUp>().ShouldAllBe(given => given.HasAsked);
        driver.Want(1, 10, [Node("a")]);
        driver.Only<PlannerAction.Defer>().Kind.ShouldBe(WaitCondition.Source);
    }

    [Fact]
    public void A_source_without_ranges_is_asked_by_every_file_for_all_hashes_and_then_once_for_the_whole()
    {
        _driver.BringUp(Share("a"));
        _driver.Want(1, 5 * WindowChunks, [Share("a")], hashesProven: true);
        _driver.Fail(_driver.InFlight[0], SourceFaultKind.NoRanges);
        var whole = _driver.InFlight.ShouldHaveSingleItem();
        whole.Part.ShouldBeOfType<FetchPart.Whole>();
        _driver.Done(whole);

        var key = _driver.Want(2, 5 * WindowChunks, [Share("a")]);
        _driver.OnlyFetch().Part.ShouldBeOfType<FetchPart.Hashes>();
        _driver.Done(_driver.OnlyFetch());
        _driver.HashesKnown(key, new ChunkRange(0, 5 * WindowChunks));
        _driver.OnlyFetch().Part.ShouldBeOfType<FetchPart.Whole>();

        // It has been set up anew.
        _driver.Tell(new PlannerEvent.ProbeAnswered(Share("a").Id, HasRanges: true));
        _driver.Want(3, 5 * WindowChunks, [Share("a")], hashesProven: true);
        _driver.InFlight.ShouldContain(fetch => fetch.File == Key(3) && fetch.Part is FetchPart.Window);
    }

    [Fact]
    public void A_source_that_took_three_seconds_to_answer_has_six_from_then_on()
    {
        _driver.Want(1, 10, [Node("a")]);
        _driver.Pass(3_000);
        _driver.Tell(new PlannerEvent.ProbeAnswered(Node("a").Id, TimeSpan.FromSeconds(3)));
        _driver.Want(1, 10, [Node("a")]);
        var slow = _driver.OnlyFetch();
        _driver.Pass(5_900);
        _driver.InFlight.ShouldContain(slow);
        _driver.Pass(200);
        _driver.InFlight.ShouldNotContain(slow);
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
        _driver.Only<PlannerAction.Defer>().Kind.ShouldBe(WaitCondition.Provider);

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
            new PlannerLimits { FirstBackoff = TimeSpan.FromMinutes(5), LongestBackoff = TimeSpan.FromMinutes(5) }
        );
        driver.BringUp(Node("a"));
        for (var failure = 1; failure <= 3; failure++)
        {
            driver.Want(1, 10, [Node("a")]);
            driver.Fail(driver.OnlyFetch(), SourceFaultKind.EndedEarly);
            if (failure < 3)
            {
                driver.Only<PlannerAction.Defer>().Kind.ShouldBe(WaitCondition.Source);
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

    /// <summary>Answers probes, and wants the file again whenever it was parked, until it is asked for.</summary>
    private void ReturnUntilFetched(FileKey key, string node)
    {
        for (var round = 0; At(node).Count == 0; round++)
        {
            round.ShouldBeLessThan(100);
            if (_driver.Last.OfType<PlannerAction.Defer>().Any())
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
