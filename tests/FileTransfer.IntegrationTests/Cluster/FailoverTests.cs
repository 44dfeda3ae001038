using System.Diagnostics;
using System.Net;
using System.Text.Json;
using FileTransfer.IntegrationTests.Downloads;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Cluster;

public sealed class FailoverTests
{
    private const int Stopped = 19;
    private const int Continued = 18;

    [Fact]
    public async Task When_the_leader_is_killed_a_follower_leads_within_ten_seconds_in_a_later_epoch_and_takes_writes()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var first = await cluster.StartLeaderAsync("a");
        var second = await cluster.StartAsync("b");
        var follower = await cluster.StartFollowerAsync("c");
        var before = await first.PutAsync(ReplicationTests.Content(1, 100_000), "before");
        await TestCluster.StoredAsync(second, before);
        var epoch = await EpochAsync(second);

        var clock = Stopwatch.StartNew();
        await first.KillAsync();
        var after = await PutAsSoonAsPossibleAsync(second, "after");
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(Showing.Of(small: 30, full: 10)));

        (await EpochAsync(second)).ShouldBe(epoch + 1);
        (await LeaderAsync(follower)).ShouldBe("b");
        await TestCluster.StoredAsync(follower, before);
        await TestCluster.StoredAsync(follower, after);

        // Who led before comes back as one who follows.
        var again = await cluster.StartAsync("a");
        await TestCluster.StoredAsync(again, after);
        (await LeaderAsync(again)).ShouldBe("b");
        using var refused = await again.Http.DeleteAsync($"/v1/files/{after}");
        refused.StatusCode.ShouldBe(HttpStatusCode.MisdirectedRequest);
        var problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;
        new Uri(problem.GetProperty("leaderUrl").GetString()!).ShouldBe(second.Url);
    }

    [Thorough]
    [Fact]
    public async Task When_the_leader_stops_another_leads_within_five_seconds_and_one_that_may_not_lead_does_not()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var first = await cluster.StartLeaderAsync("a");
        var never = await cluster.StartFollowerAsync("c");
        await Present(never);

        // Alone with a follower that may not lead, nobody does.
        (await first.StopAsync()).ShouldBe(0);
        using (var nobody = await never.Http.GetAsync("/v1/leader"))
        {
            nobody.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        }

        using (var refused = await never.Http.DeleteAsync($"/v1/files/{TestFile.Of(1).Key}"))
        {
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Headers.RetryAfter.ShouldNotBeNull();
        }

        var second = await cluster.StartLeaderAsync("a");
        var third = await cluster.StartAsync("b");
        await Present(third);
        var clock = Stopwatch.StartNew();
        second.Signal(15);
        await PutAsSoonAsPossibleAsync(third, "after");
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(Showing.Of(small: 15, full: 5)));
    }

    [Thorough]
    [Fact]
    public async Task A_leader_whose_session_is_terminated_leads_no_more_and_an_upload_under_way_commits_only_under_a_lock()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var first = await cluster.StartLeaderAsync("a");
        var epoch = await EpochAsync(first);
        var file = TestFile.Of(400_000);
        using var body = new HeldContent(file.Content, held: 200_000);
        var upload = first.Http.PostAsync(
            $"/v1/files?owner=0x01&bucket=0x02&location={Uri.EscapeDataString(file.Location)}",
            body
        );
        await body.Reached;

        var pid = await cluster.Database.ScalarAsync<int>(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'a/leader' AND datname = current_database()"
        );
        await cluster.Database.TerminateAsync(pid);
        body.Release();
        using var answer = await upload;

        // Either it led again in time for the commit, in its new epoch, or the upload was refused; never a commit in between.
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBeOneOf(
            [HttpStatusCode.Created, HttpStatusCode.ServiceUnavailable, HttpStatusCode.MisdirectedRequest],
            text
        );
        await Eventually.HoldsAsync(async () => await EpochAsync(first) == epoch + 1, "it leads again in a later epoch");
        await first.PutAsync(file.Content, file.Location);
        await Eventually.HoldsAsync(
            async () =>
                await cluster.Database.ScalarAsync<long>(
                    $"SELECT leader_epoch FROM filetransfer.mutations WHERE file_key = {file.KeySql}"
                )
                == epoch + 1,
            "its Add is in the feed, in the later epoch"
        );
    }

    [Thorough]
    [Fact]
    public async Task A_leader_cut_off_from_the_database_stops_leading_before_another_one_does()
    {
        await using var cluster = await TestCluster.CreateAsync();
        await using var wire = new DatabaseWire(cluster.ConnectionString);
        var direct = cluster.ConnectionString;
        cluster.ConnectionString = wire.ConnectionString;
        var first = await cluster.StartLeaderAsync("a");
        cluster.ConnectionString = direct;
        var second = await cluster.StartAsync("b");
        var stored = await first.PutAsync(ReplicationTests.Content(1, 1000), "stored");
        await TestCluster.StoredAsync(second, stored);

        wire.Cut();

        // Its lock is still held on the server, so nobody can lead; it knows that it cannot prove it.
        await Eventually.HoldsAsync(async () => !await SaysItLeadsAsync(first), "it leads no more", TimeSpan.FromSeconds(8));
        (await LeaderAsync(second)).ShouldBe("a");
        using (var refused = await first.Http.DeleteAsync($"/v1/files/{stored}"))
        {
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        }

        (await first.Http.GetAsync($"/download/{stored}")).StatusCode.ShouldBe(
            HttpStatusCode.OK,
            "what it has can still be read"
        );

        wire.ServerGivesUp();
        await PutAsSoonAsPossibleAsync(second, "after");

        wire.Mend();
        await Eventually.HoldsAsync(async () => await LeaderAsync(first) == "b", "it follows");
        (await SaysItLeadsAsync(first)).ShouldBeFalse();
    }

    [Thorough]
    [Fact]
    public async Task A_leader_that_stands_still_is_followed_by_another_and_writes_nothing_when_it_goes_on()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var first = await cluster.StartLeaderAsync("a");
        var second = await cluster.StartAsync("b");
        await Present(second);
        var stored = await first.PutAsync(ReplicationTests.Content(1, 1000), "stored");

        first.Signal(Stopped);
        var removal = first.Http.DeleteAsync($"/v1/files/{stored}");
        await PutAsSoonAsPossibleAsync(second, "after");
        var epoch = await EpochAsync(second);
        first.Signal(Continued);

        using var refused = await removal;
        refused.StatusCode.ShouldBeOneOf(HttpStatusCode.MisdirectedRequest, HttpStatusCode.ServiceUnavailable);
        await Eventually.HoldsAsync(async () => await LeaderAsync(first) == "b", "it follows");
        (await EpochAsync(first)).ShouldBe(epoch);
        (await second.StateOfAsync(stored)).ShouldNotBeNull();
    }

    private static async Task Present(NodeProcess node) =>
        await Eventually.HoldsAsync(
            async () =>
                (await node.GetJsonAsync("/health/ready"))
                    .GetProperty("checks")
                    .GetProperty("leader")
                    .GetProperty("status")
                    .GetString() == "healthy",
            $"{node.Id} is present"
        );

    private static async Task<bool> SaysItLeadsAsync(NodeProcess node) =>
        (await node.GetJsonAsync("/health/ready")).GetProperty("checks").GetProperty("leader").GetProperty("detail").GetString()
        == "this node leads";

    private static async Task<string?> LeaderAsync(NodeProcess node) =>
        (await node.GetJsonAsync("/v1/leader")).GetProperty("node").GetString();

    private static async Task<long> EpochAsync(NodeProcess node) =>
        (await node.GetJsonAsync("/v1/leader")).GetProperty("epoch").GetInt64();

    private static async Task<string> PutAsSoonAsPossibleAsync(NodeProcess node, string location)
    {
        var key = "";
        await Eventually.HoldsAsync(
            async () =>
            {
                using var body = new ByteArrayContent(ReplicationTests.Content(2, 1000));
                using var response = await node.Http.PostAsync($"/v1/files?owner=0x01&bucket=0x02&location={location}", body);
                if (!response.IsSuccessStatusCode)
                {
                    return false;
                }

                key = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("key").GetString()!;
                return true;
            },
            $"{node.Id} takes writes"
        );
        return key;
    }

    /// <summary>A body that stops in the middle until it is released.</summary>
    private sealed class HeldContent(byte[] content, int held) : HttpContent
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task;

        public void Release() => _released.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(content.AsMemory(0, held));
            await stream.FlushAsync();
            _reached.SetResult();
            await _released.Task;
            await stream.WriteAsync(content.AsMemory(held));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = content.Length;
            return true;
        }
    }
}
