using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
using static FileTransfer.Tests.Downloads.Planning.PlannerDriver;

namespace FileTransfer.Tests.Downloads.Planning;

/// <summary>Sources whose bytes are not those of the file.</summary>
public sealed class CorruptSourceTests
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
}
