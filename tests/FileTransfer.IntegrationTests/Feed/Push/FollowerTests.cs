using System.Net;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Feed.Push;

/// <summary>Followers that are slow, dead, killed or behind, and leaders that stop.</summary>
public sealed class FollowerTests
{
    private static readonly (string, string) _accepting = ("FileTransfer__Sync__AcceptFrom__0", "up");

    [Thorough]
    [Fact]
    public async Task A_follower_that_is_killed_between_store_and_acknowledgement_is_not_shipped_that_again()
    {
        await using var clusters = new TwoClusters();
        await using var proxy = new ForwardingProxy();
        var up = await clusters.StartAsync("up", ("FileTransfer__Shipping__WarnAfter", "00:00:00"));
        var cluster = await clusters.CreateAsync();
        var down = await TwoClusters.StartIn(cluster, "down", _accepting);
        proxy.Target = down.Url;
        await up.ShipToAsync("archive", new Uri(proxy.Url));
        await up.FollowerIsAsync("archive", "inStep");

        proxy.Holds = new TaskCompletionSource();
        var file = PlainFile.Random(8192);
        await up.StoreAsync(file);
        await down.SaysAsync($"Stored {file.Key} at a as it was sent here");
        await Eventually.HoldsAsync(() => Task.FromResult(proxy.StandingStill > 0), "the answer is held back");
        await down.KillAsync();
        proxy.Target = null;
        proxy.Holds.SetResult();
        proxy.Holds = null;
        var shown = await up.FollowerIsAsync("archive", "unreachable");
        shown.GetProperty("lagEntries").GetInt64().ShouldBe(1);
        shown.GetProperty("lagBytes").GetInt64().ShouldBe(8192);
        shown.GetProperty("lastError").GetString().ShouldNotBeNullOrEmpty();
        await up.CheckSaysAsync("followers", "degraded", "'archive'");
        await Eventually.HoldsAsync(
            async () =>
            {
                var told = (await up.Http.GetStringAsync("/metrics"))
                    .Split('\n')
                    .Where(line => line.Contains("follower=\"archive\"", StringComparison.Ordinal))
                    .ToDictionary(line => line.Split('{')[0], line => line.Split(' ')[^1]);
                return told.GetValueOrDefault("filetransfer_shipping_lag_entries") == "1"
                    && told.GetValueOrDefault("filetransfer_shipping_lag_size_bytes") == "8192";
            },
            "the metrics say the same"
        );

        down = await TwoClusters.StartIn(cluster, "down", _accepting);
        proxy.Target = down.Url;
        await up.FollowerIsAsync("archive", "inStep");
        await file.ShouldBeStoredAsync(down);
        down.Log.ShouldNotContain("as it was sent here");
        await up.CheckSaysAsync("followers", "healthy");
        var shipper = (await down.GetJsonAsync("/v1/sync/status")).GetProperty("shippers").EnumerateArray().Single();
        shipper.GetProperty("cluster").GetString().ShouldBe("up");
        shipper.GetProperty("files").GetInt64().ShouldBe(1);
        shipper.GetProperty("bins").EnumerateArray().Sum(bin => bin.GetProperty("applied").GetInt64()).ShouldBe(1);
    }

    [Thorough]
    [Fact]
    public async Task A_follower_beyond_its_budget_is_told_all_files_when_it_is_back_and_gets_just_what_it_lacks()
    {
        await using var clusters = new TwoClusters();
        var up = await clusters.StartAsync("up", ("FileTransfer__Shipping__Budget__Entries", "2"));
        var place = TwoClusters.PlaceOfOwn();
        var cluster = await clusters.CreateAsync();
        var down = await TwoClusters.StartIn(cluster, "down", place.Setting, _accepting);
        await up.ShipToAsync("archive", place.Url);
        var before = Enumerable.Range(0, 20).Select(i => PlainFile.Random(2000 + i)).ToList();
        foreach (var file in before)
        {
            await up.StoreAsync(file);
        }

        await up.FollowerIsAsync("archive", "inStep");
        await down.StopAsync();
        var after = Enumerable.Range(0, 60).Select(i => PlainFile.Random(3000 + i)).ToList();
        foreach (var file in after)
        {
            await up.StoreAsync(file);
        }

        var full = after.CountBy(PlainShipment.BinOf).Count(bin => bin.Value > 2);
        await Eventually.HoldsAsync(
            async () => Rebuilding(await up.FollowerIsAsync("archive", "unreachable")) == full,
            $"{full} bins are marked"
        );

        down = await TwoClusters.StartIn(cluster, "down", place.Setting, _accepting);
        await up.FollowerIsAsync("archive", "inStep");
        foreach (var file in after)
        {
            await TestCluster.StoredAsync(down, file.Key);
        }

        foreach (var file in before)
        {
            await file.ShouldBeStoredAsync(down);
            down.Log.Split('\n').Where(line => line.Contains($"tored {file.Key}", StringComparison.Ordinal)).ShouldBeEmpty();
        }

        static int Rebuilding(JsonElement follower) =>
            follower.GetProperty("bins").EnumerateArray().Count(bin => bin.GetProperty("rebuilding").GetBoolean());
    }

    [Thorough]
    [Fact]
    public async Task A_leader_that_is_told_to_stop_ships_what_is_pending_first_and_a_new_one_goes_on()
    {
        await using var clusters = new TwoClusters();
        var cluster = await clusters.CreateAsync();
        var up = await TwoClusters.StartIn(cluster, "up");
        var other = await cluster.StartAsync("b", ("FileTransfer__ClusterId", "up"));
        var down = await clusters.StartAsync("down", _accepting);
        await up.ShipToAsync("archive", down.Url);
        await up.FollowerIsAsync("archive", "inStep");

        // The follower stands still while ten files come, for less than would be a fault of it.
        down.Signal(19);
        var files = Enumerable.Range(0, 10).Select(i => PlainFile.Random(4000 + i)).ToList();
        (await up.PutAsync(PlainBatch.Of(files))).ShouldAllBe(line => line.Status() == 201);

        var stopped = up.StopAsync();
        await Eventually.HoldsAsync(
            async () => (await up.Http.GetAsync("/health/ready")).StatusCode == HttpStatusCode.ServiceUnavailable,
            "it is stopping"
        );
        down.Signal(18);
        (await stopped).ShouldBe(0);
        foreach (var file in files)
        {
            (await down.StateOfAsync(file.Key)).ShouldBe("stored", up.Log);
            await file.ShouldBeStoredAsync(down);
        }

        var next = PlainFile.Random(5000);
        await Eventually.HoldsAsync(
            async () => (await other.GetJsonAsync("/v1/leader")).GetProperty("node").GetString() == "b",
            "b leads"
        );
        await other.StoreAsync(next);
        await TestCluster.StoredAsync(down, next.Key);
        await other.FollowerIsAsync("archive", "inStep");
    }

    [Thorough]
    [Fact]
    public async Task A_paused_follower_is_shipped_nothing_and_one_that_has_more_than_there_is_keeps_it_and_is_compared()
    {
        await using var clusters = new TwoClusters();
        var (cluster, place) = (await clusters.CreateAsync(), TwoClusters.PlaceOfOwn());
        var starting = TwoClusters.StartIn(await clusters.CreateAsync(), "down", place.Setting, _accepting);
        var up = await TwoClusters.StartIn(cluster, "up");
        var down = await starting;
        await up.ShipToAsync("archive", place.Url);
        var first = PlainFile.Random(1000);
        await up.StoreAsync(first);
        await up.FollowerIsAsync("archive", "inStep");

        await up.ShipToAsync("archive", place.Url, paused: true);
        var held = PlainFile.Random(2000);
        await up.StoreAsync(held);
        (await up.FollowerIsAsync("archive", "paused")).GetProperty("lagEntries").GetInt64().ShouldBe(1);
        (await down.StateOfAsync(held.Key)).ShouldBeNull();
        await up.ShipToAsync("archive", place.Url);
        await up.FollowerIsAsync("archive", "inStep");
        await held.ShouldBeStoredAsync(down);

        // Database and folder of the leader go back together: the same history as far as anybody there knows.
        await up.StopAsync();
        await using var backup = await PostgresCluster.CreateCopyAsync(cluster.Database);
        var folder = Path.Combine(cluster.Folder, "backup");
        FolderCopy.Make(cluster.FolderOf("a"), folder);
        up = await TwoClusters.StartIn(cluster, "up");
        var lost = PlainFile.Random(3000);
        await up.StoreAsync(lost);
        await up.FollowerIsAsync("archive", "inStep");
        await up.StopAsync();
        cluster.ConnectionString = backup.ConnectionString;
        Directory.Delete(cluster.FolderOf("a"), recursive: true);
        Directory.Move(folder, cluster.FolderOf("a"));
        up = await TwoClusters.StartIn(cluster, "up");

        await up.SaysAsync($"is told all files of bin {PlainShipment.BinOf(lost)}");
        await up.FollowerIsAsync("archive", "inStep");
        await lost.ShouldBeStoredAsync(down);
        var shipper = (await down.GetJsonAsync("/v1/sync/status")).GetProperty("shippers").EnumerateArray().Single();
        (shipper.GetProperty("files").GetInt64(), shipper.GetProperty("kept").GetInt64()).ShouldBe((2, 1));
    }

    [Thorough]
    [Fact]
    public async Task Of_200_followers_20_never_answer_and_the_others_are_not_two_seconds_behind()
    {
        const int answering = 180;
        await using var clusters = new TwoClusters();
        await using var followers = await FakeFollowers.StartAsync(answering, silent: 20);
        var up = await clusters.StartAsync("up");
        await ShipToAsync(followers.Answering);
        await Eventually.HoldsAsync(() => Task.FromResult(followers.Greeted == answering), "all of them are greeted");
        await LagOfAsync(files: 1);
        var alone = await LagOfAsync(Showing.Of(5, 50));
        await ShipToAsync(followers.Silent);
        await Eventually.HoldsAsync(() => Task.FromResult(followers.Unanswered == 20), "the others were asked");
        var beside = await LagOfAsync(Showing.Of(5, 50));
        Showing.Tell("180 followers behind, beside 20 that do not answer", beside.TotalSeconds, 2, "s");
        Showing.Tell("180 followers behind, alone", alone.TotalSeconds, 2, "s");

        // Whoever waits for one that does not answer waits 15 s. What the machine does besides delays both alike.
        beside.ShouldBeLessThan(Showing.Of(TimeSpan.FromSeconds(2) + (2 * alone), TimeSpan.FromSeconds(2)));

        Task ShipToAsync(IEnumerable<(string Name, Uri Url)> these) =>
            Parallel.ForEachAsync(these, async (follower, _) => await up.ShipToAsync(follower.Name, follower.Url));

        async Task<TimeSpan> LagOfAsync(int files)
        {
            var stored = new Dictionary<string, DateTime>();
            for (var i = 0; i < files; i++)
            {
                var file = PlainFile.Random(8192);
                await up.StoreAsync(file);
                stored[file.Key] = DateTime.UtcNow;
            }

            await Eventually.HoldsAsync(
                () => Task.FromResult(stored.Keys.All(key => followers.AppliedAt(key).Count == answering)),
                "all that answer have all"
            );
            return stored.Max(file => followers.AppliedAt(file.Key).Max() - file.Value);
        }
    }
}
