using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;
using static FileTransfer.Tests.Downloads.Planning.PlannerDriver;

namespace FileTransfer.Tests.Downloads.Planning;

public sealed class FetchingTests
{
    private readonly PlannerDriver _driver = new();

    [Fact]
    public void A_source_is_probed_before_it_is_asked()
    {
        var key = Want(10, Node("a"));
        _driver.Only<PlannerAction.Probe>().ShouldBe(new PlannerAction.Probe(Node("a").Id, key, TimeSpan.FromSeconds(2)));
        _driver.InFlight.ShouldBeEmpty();

        _driver.Answer(Node("a"));
        _driver.OnlyFetch().Part.ShouldBe(FetchPart.Whole.Instance);
    }

    [Fact]
    public void A_content_of_one_window_comes_whole_and_is_done()
    {
        _driver.BringUp(Node("a"));
        var key = Want(WindowChunks, Node("a"));
        var fetch = _driver.OnlyFetch();
        fetch.Part.ShouldBe(FetchPart.Whole.Instance);

        _driver.Done(fetch);
        _driver.Only<PlannerAction.Finish>().File.ShouldBe(key);
        _driver.Planner.NextTick.ShouldBeNull();
    }

    [Fact]
    public void An_empty_content_needs_no_source()
    {
        var key = Want(0);
        _driver.Only<PlannerAction.Finish>().File.ShouldBe(key);
    }

    [Fact]
    public void A_larger_content_is_fetched_hashes_first_then_windows_then_done()
    {
        _driver.BringUp(Node("a"));
        var key = Want(3 * WindowChunks, Node("a"));
        var hashes = _driver.OnlyFetch();
        hashes.Part.ShouldBe(FetchPart.Hashes.Instance);

        _driver.Done(hashes);
        _driver.Last.ShouldBeEmpty(); // What is on disk is being proven.
        _driver.HashesKnown(key, new ChunkRange(0, WindowChunks), new ChunkRange(2 * WindowChunks, WindowChunks));
        _driver
            .Last.Cast<PlannerAction.Fetch>()
            .Select(WindowOf)
            .ShouldBe([new ChunkRange(0, WindowChunks), new ChunkRange(2 * WindowChunks, WindowChunks)]);

        var (first, second) = (_driver.InFlight[0], _driver.InFlight[1]);
        _driver.Done(second);
        _driver.Last.ShouldBeEmpty();
        _driver.Done(first);
        _driver.Only<PlannerAction.Finish>().File.ShouldBe(key);
    }

    [Fact]
    public void Hashes_of_a_large_content_come_from_all_sources_and_are_proven_together()
    {
        _driver.BringUp(Node("a"), Node("b"));
        const int range = 32 * 1024;
        var key = Want((3 * range) - 5, Node("a"), Node("b"));
        var hashes = _driver.InFlight.ToList();
        hashes
            .Select(fetch => fetch.Part)
            .ShouldBe([
                new FetchPart.HashRange(new ChunkRange(0, range)),
                new FetchPart.HashRange(new ChunkRange(range, range)),
                new FetchPart.HashRange(new ChunkRange(2 * range, range - 5)),
            ]);
        hashes.Select(fetch => fetch.Source).Distinct().Count().ShouldBe(2);

        _driver.Done(hashes[2]);
        _driver.Done(hashes[0]);
        _driver.All.OfType<PlannerAction.ProveHashes>().ShouldBeEmpty();
        _driver.Done(hashes[1]);
        _driver.Only<PlannerAction.ProveHashes>().File.ShouldBe(key);

        _driver.HashesKnown(key, new ChunkRange(0, WindowChunks));
        WindowOf(_driver.OnlyFetch()).ShouldBe(new ChunkRange(0, WindowChunks));
    }

    [Fact]
    public void Hashes_that_are_wrong_together_come_from_one_source_that_answers_for_them()
    {
        _driver.BringUp(Node("a"), Node("b"));
        var key = Want(64 * 1024, Node("a"), Node("b"));
        foreach (var fetch in _driver.InFlight.ToList())
        {
            _driver.Done(fetch);
        }

        _driver.Tell(new PlannerEvent.HashesInvalid(key));
        var all = _driver.OnlyFetch();
        all.Part.ShouldBe(FetchPart.Hashes.Instance);

        _driver.Fail(all, SourceFaultKind.Corrupt);
        _driver.Last.OfType<PlannerAction.ReportCorruption>().Single().Source.ShouldBe(all.Source);
        _driver.InFlight.Single().Source.ShouldNotBe(all.Source);
    }

    [Fact]
    public void Windows_that_readers_wait_for_are_started_first_each_reader_in_turn()
    {
        _driver.BringUp(Node("a"));
        var key = _driver.Want(1, 100 * WindowChunks, [Node("a")], hashesProven: true);
        _driver.InFlight.Select(fetch => WindowOf(fetch).First / WindowChunks).ShouldBe([0, 1]);

        _driver.Tell(new PlannerEvent.ChunkAwaited(key, 50 * WindowChunks));
        _driver.Tell(new PlannerEvent.ChunkAwaited(key, 80 * WindowChunks));
        var started = new List<ChunkRange>();
        while (started.Count < 4)
        {
            _driver.Done(_driver.InFlight[0]);
            started.Add(WindowOf(_driver.OnlyFetch()));
        }

        started.Select(window => window.First).ShouldBe([80 * WindowChunks, 50 * WindowChunks, started[0].End, started[1].End]);
    }

    [Fact]
    public void What_a_failed_request_brought_is_not_asked_for_again()
    {
        _driver.BringUp(Node("a"), Node("b"));
        _driver.Want(1, 2 * WindowChunks, [Node("a"), Node("b")], hashesProven: true);
        var fetch = _driver.InFlight.First(fetch => WindowOf(fetch).First == 0);
        _driver.Came(fetch, 1000);
        _driver.Fail(fetch, SourceFaultKind.EndedEarly);

        var again = _driver.OnlyFetch();
        again.Source.ShouldNotBe(fetch.Source);
        WindowOf(again).ShouldBe(new ChunkRange(1000, WindowChunks - 1000));
    }

    [Fact]
    public void Two_requests_are_in_flight_at_a_source_and_no_more()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 10 * WindowChunks, [Node("a")], hashesProven: true);
        _driver.InFlight.Count.ShouldBe(2);
        _driver.Done(_driver.InFlight[0]);
        _driver.InFlight.Count.ShouldBe(2);
    }

    [Fact]
    public void Several_sources_share_a_content()
    {
        SourceHint[] sources = [Node("a"), Node("b"), Share("c"), Leader("d")];
        _driver.BringUp(sources);
        _driver.Want(1, 100 * WindowChunks, sources, hashesProven: true);
        _driver
            .InFlight.GroupBy(fetch => fetch.Source)
            .Select(group => (group.Key, group.Count()))
            .ShouldBe(sources.Select(source => (source.Id, 2)), ignoreOrder: true);
    }

    [Fact]
    public void A_stream_is_used_for_the_whole_when_nobody_else_has_it()
    {
        _driver.BringUp(Stream("old"));
        var key = Want(100 * WindowChunks, Stream("old"));
        var fetch = _driver.OnlyFetch();
        fetch.Part.ShouldBe(FetchPart.Whole.Instance);
        _driver.Done(fetch);
        _driver.Only<PlannerAction.Finish>().File.ShouldBe(key);
    }

    [Fact]
    public void A_stream_is_not_used_beside_sources_of_ranges()
    {
        _driver.BringUp(Stream("old"), Node("a"));
        _driver.Want(1, 4 * WindowChunks, [Stream("old"), Node("a")]);
        _driver.OnlyFetch().Source.ShouldBe(Node("a").Id);
    }

    [Fact]
    public void A_stream_fills_in_when_no_source_of_ranges_answers_and_keeps_what_it_proves()
    {
        _driver.BringUp(Stream("old"));
        _driver.Want(1, 10 * WindowChunks, [Stream("old"), Node("a")], hashesProven: true);
        _driver.InFlight.ShouldBeEmpty(); // The other may answer in a moment.
        _driver.Silence(Node("a"));
        var fetch = _driver.InFlight.ShouldHaveSingleItem();
        (fetch.Source, fetch.Part).ShouldBe((Stream("old").Id, FetchPart.Whole.Instance));

        _driver.Came(fetch, 9 * WindowChunks);
        _driver.Pass(300);
        _driver.Answer(Node("a"));
        _driver.Fail(fetch, SourceFaultKind.EndedEarly);
        WindowOf(_driver.InFlight.ShouldHaveSingleItem()).ShouldBe(new ChunkRange(9 * WindowChunks, WindowChunks));
    }

    [Fact]
    public void A_file_past_its_deadline_is_given_up()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 10, [Node("a")], deadline: _driver.Now + TimeSpan.FromMilliseconds(500));
        _driver.Pass(499);
        _driver.Last.ShouldBeEmpty();
        _driver.Pass(1);
        _driver.Only<PlannerAction.Cancel>();
        _driver.Only<PlannerAction.GiveUp>().Reason.ShouldContain("deadline");
    }

    [Fact]
    public void A_dropped_file_leaves_nothing_in_flight()
    {
        _driver.BringUp(Node("a"), Node("b"));
        var key = _driver.Want(1, 100 * WindowChunks, [Node("a"), Node("b")], hashesProven: true);
        var requests = _driver.InFlight.Select(fetch => fetch.Request).ToList();
        _driver.Tell(new PlannerEvent.FileDropped(key));
        _driver.Last.Cast<PlannerAction.Cancel>().Select(cancel => cancel.Request).ShouldBe(requests, ignoreOrder: true);

        // What was under way when it was cancelled comes too late.
        _driver.Tell(new PlannerEvent.ChunksProven(requests[0], 10)).ShouldBeEmpty();
        _driver.Tell(new PlannerEvent.RequestDone(requests[0])).ShouldBeEmpty();
    }

    private FileKey Want(long chunks, params SourceHint[] sources) => _driver.Want(1, chunks, sources);
}
