using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;
using static FileTransfer.Tests.Downloads.Planning.PlannerDriver;

namespace FileTransfer.Tests.Downloads.Planning;

public sealed class ChoosingTests
{
    private readonly PlannerDriver _driver = new();

    [Fact]
    public void A_file_of_a_higher_priority_gets_the_next_requests_also_when_it_gets_it_later()
    {
        var driver = new PlannerDriver(PlannerLimits.Default with { Requests = 1 });
        driver.BringUp(Node("a"));
        var first = driver.Want(1, 3 * WindowChunks, [Node("a")], hashesProven: true);
        var second = driver.Want(2, 3 * WindowChunks, [Node("a")], hashesProven: true);
        driver.InFlight.ShouldHaveSingleItem().File.ShouldBe(first);

        driver.Tell(new PlannerEvent.PriorityChanged(first, 5));
        driver.Done(driver.InFlight[0]);
        driver.InFlight.ShouldHaveSingleItem().File.ShouldBe(first, "although the other was served less");
        driver.Tell(new PlannerEvent.PriorityChanged(second, 6));
        driver.Done(driver.InFlight[0]);
        driver.InFlight.ShouldHaveSingleItem().File.ShouldBe(second);
    }

    [Fact]
    public void Files_are_served_in_turns_of_equal_size()
    {
        _driver.BringUp(Node("a"));
        for (var file = 1; file <= 5; file++)
        {
            _driver.Want(file, 100 * WindowChunks, [Node("a")], hashesProven: true);
        }

        for (var window = 0; window < 100; window++)
        {
            _driver.Done(_driver.InFlight[0]);
        }

        var served = _driver
            .All.OfType<PlannerAction.Fetch>()
            .Where(fetch => fetch.Part is FetchPart.Window)
            .CountBy(fetch => fetch.File)
            .Select(pair => pair.Value)
            .ToList();
        served.Count.ShouldBe(5);
        (served.Max() - served.Min()).ShouldBeLessThanOrEqualTo(4);
    }

    [Fact]
    public void A_small_file_goes_between_the_windows_of_large_ones()
    {
        _driver.BringUp(Node("a"));
        _driver.Want(1, 1000 * WindowChunks, [Node("a")], hashesProven: true);
        _driver.Want(2, 1000 * WindowChunks, [Node("a")], hashesProven: true);
        var small = _driver.Want(3, 10, [Node("a")]);
        _driver.InFlight.Count.ShouldBe(4);
        _driver.Done(_driver.InFlight[0]);
        _driver.Done(_driver.InFlight[0]);
        _driver.InFlight.ShouldContain(fetch => fetch.File == small);
    }

    [Fact]
    public void Small_files_of_a_node_share_requests_and_leave_half_of_them_to_large_ones()
    {
        _driver.BringUp(Node("a"));
        for (var file = 1; file <= 100; file++)
        {
            _driver.Want(file, 8, [Node("a")]);
        }

        _driver.InFlight.Count.ShouldBe(2 * BatchWeight.All);
        var large = _driver.Want(101, 1000 * WindowChunks, [Node("a")], hashesProven: true);
        _driver.InFlight.Count(fetch => fetch.File == large).ShouldBe(2);

        _driver.Done(_driver.InFlight[0]);
        _driver.Last.OfType<PlannerAction.Fetch>().Count().ShouldBe(1, "another small one takes the free share");
    }

    [Fact]
    public void A_share_serves_small_files_one_by_one()
    {
        _driver.BringUp(Share("s"));
        for (var file = 1; file <= 100; file++)
        {
            _driver.Want(file, 8, [Share("s")]);
        }

        _driver.InFlight.Count.ShouldBe(4);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(128 * 1024, 1)]
    [InlineData((128 * 1024) + 1, 2)]
    [InlineData(1024 * 1024, 8)]
    [InlineData((1024 * 1024) + 1, 0)]
    public void A_small_content_takes_its_part_of_a_delivery(long bytes, int share) => BatchWeight.Of(bytes).ShouldBe(share);

    [Fact]
    public void All_limits_hold_and_take_effect_at_once()
    {
        var limits = new PlannerLimits
        {
            Requests = 7,
            RequestsPerSource = 3,
            Connections = 4,
        };
        var driver = new PlannerDriver(limits);
        var sources = Enumerable.Range(0, 10).Select(number => Node($"{number}")).ToArray();
        driver.BringUp(sources);
        driver.Want(1, 1000 * WindowChunks, sources, hashesProven: true);
        driver.Want(2, 1000 * WindowChunks, sources, hashesProven: true);
        driver.InFlight.Count.ShouldBe(7);
        driver.InFlight.CountBy(fetch => fetch.Source).ShouldAllBe(pair => pair.Value <= 3);
        driver.InFlight.DistinctBy(fetch => fetch.Source).Count().ShouldBeLessThanOrEqualTo(4);

        driver.Tell(new PlannerEvent.LimitsChanged(limits with { Requests = 20, Connections = 10 }));
        driver.InFlight.Count.ShouldBe(20);
        driver.Tell(new PlannerEvent.LimitsChanged(limits with { Requests = 1 }));
        while (driver.InFlight.Count > 1)
        {
            driver.Done(driver.InFlight[0]);
            driver.Last.OfType<PlannerAction.Fetch>().Count().ShouldBe(driver.InFlight.Count == 1 ? driver.Last.Count : 0);
        }
    }

    [Fact]
    public void A_file_whose_source_is_not_connected_gets_a_connection_although_large_files_hold_all()
    {
        var driver = new PlannerDriver(new PlannerLimits { Connections = 2 });
        driver.BringUp(Node("a"), Node("b"), Node("c"));
        driver.Want(1, 1000 * WindowChunks, [Node("a"), Node("b")], hashesProven: true);
        var small = driver.Want(2, 10, [Node("c")]);
        for (var window = 0; window < 4 && !driver.InFlight.Exists(fetch => fetch.File == small); window++)
        {
            driver.Done(driver.InFlight[0]);
        }

        driver.InFlight.ShouldContain(fetch => fetch.File == small);
    }

    [Fact]
    public void The_faster_source_brings_more()
    {
        SourceHint[] sources = [Node("fast"), Node("slow")];
        _driver.BringUp(sources);
        var key = _driver.Want(1, 200 * WindowChunks, sources, hashesProven: true);
        Run(key, source => source == Node("fast").Id ? 40 : 400);
        var served = _driver
            .All.OfType<PlannerAction.Fetch>()
            .Where(fetch => fetch.File == key)
            .AggregateBy(fetch => fetch.Source, 0, (chunks, fetch) => chunks + WindowOf(fetch).Count)
            .ToDictionary();
        served[Node("fast").Id].ShouldBeGreaterThan(8 * served[Node("slow").Id]);
    }

    [Fact]
    public void A_slow_source_is_not_asked_for_what_the_fast_one_brings_sooner()
    {
        SourceHint[] sources = [Node("fast"), Node("slow")];
        _driver.BringUp(sources);
        Run(_driver.Want(1, 50 * WindowChunks, sources, hashesProven: true), source => source == Node("fast").Id ? 40 : 400);

        _driver.Want(2, 3 * WindowChunks, sources, hashesProven: true);
        _driver.InFlight.ShouldAllBe(fetch => fetch.Source == Node("fast").Id);
    }

    [Fact]
    public void The_end_is_not_left_to_a_slow_source()
    {
        SourceHint[] sources = [Node("fast"), Node("slow")];
        _driver.BringUp(sources);
        var key = _driver.Want(1, 20 * WindowChunks, sources, hashesProven: true);
        var started = _driver.Now;
        Run(key, source => source == Node("fast").Id ? 40 : 40_000);
        (_driver.Now - started).TotalMilliseconds.ShouldBeInRange(20 * 40, 2_000);
        _driver.All.OfType<PlannerAction.Cancel>().ShouldNotBeEmpty();
    }

    [Fact]
    public void A_race_asks_only_for_what_is_not_proven_and_the_loser_is_cancelled()
    {
        SourceHint[] sources = [Node("slow"), Node("fast")];
        _driver.BringUp(Node("slow"));
        var key = _driver.Want(1, WindowChunks, [Node("slow")], hashesProven: true);
        var slow = _driver.OnlyFetch();
        _driver.Came(slow, 96);
        _driver.Pass(2_000);
        _driver.Tell(new PlannerEvent.SourcesChanged(key, sources, 0));
        _driver.Answer(Node("fast"));
        var race = _driver.OnlyFetch();
        WindowOf(race).ShouldBe(new ChunkRange(96, WindowChunks - 96));

        _driver.Came(slow, 100);
        _driver.Done(race);
        _driver.Only<PlannerAction.Cancel>().Request.ShouldBe(slow.Request);
        _driver.Only<PlannerAction.Finish>();
    }

    [Fact]
    public void A_slow_whole_body_is_replaced_not_raced()
    {
        _driver.BringUp(Node("slow"));
        var key = _driver.Want(1, WindowChunks, [Node("slow")]);
        var slow = _driver.OnlyFetch();
        _driver.Came(slow, 96);
        _driver.Pass(2_000);
        _driver.Tell(new PlannerEvent.SourcesChanged(key, [Node("slow"), Node("fast")], 0));
        _driver.Answer(Node("fast"));
        _driver.Only<PlannerAction.Cancel>().Request.ShouldBe(slow.Request);
        (_driver.OnlyFetch().Source, _driver.OnlyFetch().Part).ShouldBe((Node("fast").Id, FetchPart.Whole.Instance));
    }

    [Theory]
    [InlineData(WindowChunks / 2, false)] // two seconds to go
    [InlineData(96, true)] // more than a minute
    public void A_whole_body_is_left_for_a_share_that_may_not_have_the_file_only_to_save_much(int came, bool isLeft)
    {
        _driver.BringUp(Node("slow"));
        var key = _driver.Want(1, WindowChunks, [Node("slow")]);
        var slow = _driver.OnlyFetch();
        _driver.Came(slow, came);
        _driver.Pass(2_000);
        _driver.Tell(new PlannerEvent.SourcesChanged(key, [Node("slow"), Share("fast")], 0));
        _driver.Answer(Share("fast"));
        _driver.Last.OfType<PlannerAction.Cancel>().Any().ShouldBe(isLeft);
    }

    [Fact]
    public void Windows_are_long_at_a_fast_source_until_the_end_is_near()
    {
        _driver.BringUp(Node("a"));
        var key = _driver.Want(1, 100 * WindowChunks, [Node("a")], hashesProven: true);
        Run(key, _ => 10);
        var windows = _driver.All.OfType<PlannerAction.Fetch>().Where(fetch => fetch.File == key).Select(WindowOf).ToList();
        windows.Sum(window => window.Count).ShouldBe(100 * WindowChunks);
        windows[0].Count.ShouldBe(WindowChunks, "nobody knows yet how fast it is");
        windows.Max(window => window.Count).ShouldBe(4 * WindowChunks);
        windows[^1].Count.ShouldBe(WindowChunks);
        windows.Count.ShouldBeLessThan(40);
    }

    [Fact]
    public void Windows_are_not_long_where_they_would_take_their_time()
    {
        _driver.BringUp(Node("a"));
        var key = _driver.Want(1, 100 * WindowChunks, [Node("a")], hashesProven: true);
        Run(key, _ => 80);
        _driver
            .All.OfType<PlannerAction.Fetch>()
            .Where(fetch => fetch.File == key)
            .ShouldAllBe(fetch => WindowOf(fetch).Count == WindowChunks);
    }

    [Fact]
    public void Equal_sources_do_not_race_each_other()
    {
        SourceHint[] sources = [Node("a"), Node("b"), Node("c"), Node("d")];
        _driver.BringUp(sources);
        var key = _driver.Want(1, 41 * WindowChunks, sources, hashesProven: true);
        Run(key, _ => 80);
        _driver
            .All.OfType<PlannerAction.Fetch>()
            .Where(fetch => fetch.File == key)
            .Sum(fetch => WindowOf(fetch).Count)
            .ShouldBe(41 * WindowChunks);
    }

    /// <summary>Sources that send each request at their own pace, one after the other, until the file is done.</summary>
    private void Run(FileKey key, Func<SourceId, double> windowMilliseconds)
    {
        var came = new Dictionary<RequestId, double>();
        var isDone = false;
        while (!isDone)
        {
            const double StepMilliseconds = 10;
            _driver.Pass(StepMilliseconds);
            foreach (var fetch in _driver.InFlight.GroupBy(fetch => fetch.Source).Select(group => group.First()).ToList())
            {
                var chunks = WindowOf(fetch).Count;
                var before = came.GetValueOrDefault(fetch.Request);
                var now = Math.Min(chunks, before + (WindowChunks * StepMilliseconds / windowMilliseconds(fetch.Source)));
                came[fetch.Request] = now;
                _driver.Came(fetch, (int)now - (int)before);
                if ((int)now == chunks && _driver.InFlight.Contains(fetch))
                {
                    _driver.Done(fetch);
                }

                isDone |= _driver.Last.Contains(new PlannerAction.Finish(key));
            }
        }
    }
}
