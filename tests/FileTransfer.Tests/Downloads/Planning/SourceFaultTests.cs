using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
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
        _driver.Fail(lie, SourceFaultKind.Corrupt);

        var blame = _driver.Only<PlannerAction.ReportCorruption>();
        (blame.Source, blame.File).ShouldBe((Node("a").Id, key));
        At("a").ShouldBeEmpty();
        FetchAll();
        _driver.Last.ShouldContain(new PlannerAction.Finish(key));
        _driver
            .All.OfType<PlannerAction.Fetch>()
            .SkipWhile(fetch => fetch != lie)
            .ShouldNotContain(fetch => IsLaterAt(fetch, "a", lie));

        // For another file it is asked as before.
        _driver.Want(2, 10, [Node("a")]);
        At("a").ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(7 * WindowChunks)]
    [InlineData(100 * WindowChunks)]
    public void A_source_whose_hashes_lie_is_asked_for_the_whole_unless_another_has_hashes(long chunks)
    {
        _driver.BringUp(Share("a"), Share("b"));
        var key = _driver.Want(1, chunks, [Share("a")]);
        _driver.Fail(AtShare("a")[0], SourceFaultKind.Corrupt);

        _driver.All.OfType<PlannerAction.ReportCorruption>().ShouldBeEmpty();
        var whole = AtShare("a").ShouldHaveSingleItem();
        whole.Part.ShouldBe(FetchPart.Whole.Instance);
        _driver.Done(whole);
        _driver.Last.ShouldContain(new PlannerAction.Finish(key));

        // Its chunks are as good as anybody's, once another's hashes are here.
        var other = _driver.Want(2, 7 * WindowChunks, [Share("a"), Share("b")]);
        var first = _driver.OnlyFetch();
        _driver.Fail(first, SourceFaultKind.NotFound);
        var second = _driver.OnlyFetch();
        (second.Part, second.Source == first.Source).ShouldBe((FetchPart.Hashes.Instance, false));
        _driver.Done(second);
        _driver.HashesKnown(other, new ChunkRange(0, 7 * WindowChunks));
        _driver.InFlight.ShouldAllBe(fetch => fetch.Part is FetchPart.Window);
        _driver.InFlight.Select(fetch => fetch.Source).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public void The_only_source_of_a_file_is_asked_again_after_a_pause_and_what_it_sends_right_clears_it()
    {
        _driver.BringUp(Node("a"));
        var pauses = new List<double>();
        for (var lie = 0; lie < 8; lie++)
        {
            _driver.Want(1, 10, [Node("a")]);
            _driver.Fail(_driver.OnlyFetch(), SourceFaultKind.Corrupt);
            var given = _driver.Only<PlannerAction.GiveUp>();
            (given.Cause, given.HasAsked).ShouldBe((SourceFaultKind.Corrupt, true));
            pauses.Add(given.RetryIn!.Value.TotalSeconds);
            _driver.Pass(given.RetryIn.Value.TotalMilliseconds);
        }

        pauses[0].ShouldBeInRange(0.5, 1);
        pauses[3].ShouldBeInRange(4, 8);
        pauses.Max().ShouldBeLessThanOrEqualTo(20);
        pauses[..5].ShouldBe(pauses[..5].Order());

        _driver.Want(1, 10, [Node("a")]);
        _driver.Done(_driver.OnlyFetch());
        _driver.Want(1, 10, [Node("a")]);
        _driver.Fail(_driver.OnlyFetch(), SourceFaultKind.Corrupt);
        _driver.Only<PlannerAction.GiveUp>().RetryIn!.Value.ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Lies_about_two_files_shut_out_nothing_that_has_no_other_source()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 10, [Node("a")]);
        _driver.Want(2, 10, [Node("a")]);
        var third = _driver.Want(3, 10, [Node("a")]);
        _driver.Fail(At("a")[0], SourceFaultKind.Corrupt);
        _driver.Fail(At("a")[0], SourceFaultKind.Corrupt);

        var demotion = _driver.Only<PlannerAction.Demote>();
        (demotion.Source, demotion.Files).ShouldBe((Node("a").Id, 2));
        _driver.Last.OfType<PlannerAction.Cancel>().ShouldBeEmpty();
        _driver.Done(At("a").ShouldHaveSingleItem());
        _driver.Last.ShouldContain(new PlannerAction.Finish(third));
        _driver.Want(4, 10, [Node("a")]);
        _driver.OnlyFetch();
    }

    [Fact]
    public void A_source_that_is_demoted_is_asked_last_until_its_pause_is_over_and_the_next_pause_is_longer()
    {
        _driver.BringUp(Node("a"), Node("b"));
        var number = 0;
        var demoted = new List<TimeSpan>();
        for (var round = 0; round < 3; round++)
        {
            while (!_driver.Last.OfType<PlannerAction.Demote>().Any())
            {
                _driver.Want(++number, 10, [Node("a")]);
                _driver.Fail(_driver.OnlyFetch(), SourceFaultKind.Corrupt);
            }

            demoted.Add(_driver.Only<PlannerAction.Demote>().For);
            for (var i = 0; i < 8; i++)
            {
                _driver.Want(1000 + (10 * round) + i, 10, [Node("a"), Node("b")]);
            }

            At("a").ShouldBeEmpty();
            while (At("b") is [var first, ..])
            {
                _driver.Done(first);
            }

            _driver.Pass(demoted[^1].TotalMilliseconds + 1);
            _driver.Want(2000 + round, 100 * WindowChunks, [Node("a"), Node("b")], hashesProven: true);
            At("a").ShouldNotBeEmpty("its pause is over");
            _driver.Tell(new PlannerEvent.FileDropped(Key(2000 + round)));
        }

        demoted[1].ShouldBeGreaterThan(demoted[0]);
        demoted[2].ShouldBeGreaterThan(demoted[1]);
    }

    [Fact]
    public void Blame_fades()
    {
        _driver.BringUp(Node("a"));
        for (var file = 1; file <= 5; file++)
        {
            _driver.Want(file, 10, [Node("a")]);
            _driver.Fail(_driver.OnlyFetch(), SourceFaultKind.Corrupt);
            _driver.Last.OfType<PlannerAction.Demote>().ShouldBeEmpty("the one before is forgotten");
            _driver.Pass(61_000);
        }
    }

    [Fact]
    public void A_lie_after_right_bytes_that_are_kept_costs_no_attempt()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 100, [Node("a")], hashesProven: true);
        var lie = At("a")[0];
        _driver.Came(lie, 50);
        _driver.Fail(lie, SourceFaultKind.Corrupt);
        var defer = _driver.Only<PlannerAction.Defer>();
        defer.Kind.ShouldBe(WaitCondition.Time);
        defer.RetryIn.ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(1));
    }

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

    private List<PlannerAction.Fetch> AtShare(string name) => _driver.InFlight.FindAll(fetch => fetch.Source == Share(name).Id);

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
