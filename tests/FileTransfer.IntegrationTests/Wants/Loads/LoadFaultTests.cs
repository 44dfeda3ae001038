using System.Net;
using FileTransfer.Contracts;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Wants.Loads;

/// <summary>Bad days of a load: a share that stops in mid-file or is slow to begin, a kill, a full disk, a hundred thousand labels.</summary>
public sealed class LoadFaultTests : IAsyncLifetime
{
    private const int Window = 4 * 1024 * 1024;

    private TestCluster _cluster = null!;
    private FakeShare _share = null!;

    public async ValueTask InitializeAsync() =>
        (_cluster, _share) = (await TestCluster.CreateAsync(), await FakeShare.StartAsync());

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _share.DisposeAsync();
    }

    [Thorough]
    [Fact]
    public async Task What_was_proven_in_a_round_that_failed_is_kept_for_the_next_one_also_over_a_kill()
    {
        var file = _share.Add(TestFile.Of(3 * Window)).Single();
        var isWhole = false;
        _share.Misbehaves = (context, _, part) =>
        {
            var fails = !Volatile.Read(ref isWhole) && part == "" && FirstOf(context) >= Window;
            context.Response.StatusCode = fails ? StatusCodes.Status500InternalServerError : StatusCodes.Status200OK;
            return Task.FromResult(fails);
        };
        var node = await StartAsync();
        await node.LoadAsync("state", LoadNode.Order([file], 300));
        await RoundsAsync(node, 3);
        await node.KillAsync();
        node = await StartAsync();
        await RoundsAsync(node, 4);

        Volatile.Write(ref isWhole, true);

        var load = await node.EndOfLoadAsync("state");
        load.Text("state").ShouldBe("stored", $"{load}");
        var asked = _share
            .Requests.Where(request => request.Range?.StartsWith($"bytes=0-{Window - 1}", StringComparison.Ordinal) == true)
            .ToList();
        asked.Count.ShouldBe(1, string.Join("\n", _share.Requests));
        (await node.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content")).AsSpan().SequenceEqual(file.Content).ShouldBeTrue();
    }

    [Thorough]
    [Fact]
    public async Task A_hundred_thousand_labels_end_at_their_deadline_and_leave_nothing()
    {
        var files = Enumerable.Range(0, Showing.Of(3_000, 100_000)).Select(_ => TestFile.Of(100)).ToList();
        var described = files
            .Select((file, index) => (file, index))
            .Where(one => one.index % 2 == 0)
            .ToDictionary(one => $"label {one.index}", one => FileRegistration.Of(one.file.Metadata));
        var node = await StartAsync();

        var (status, begun) = await node.LoadAsync("large", LoadNode.Order(files, Showing.Of(6, 60), metadata: described));

        status.ShouldBe(HttpStatusCode.Created, $"{begun}");
        var load = await node.EndOfLoadAsync("large", TimeSpan.FromSeconds(Showing.Of(60, 180)));
        load.Text("state").ShouldBe("failed");
        load.GetProperty("files").GetInt32().ShouldBe(files.Count);
        load.GetProperty("labels").EnumerateObject().Count().ShouldBe(files.Count);
        load.Overdue().ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(Showing.Of(20, 1)));
        await Eventually.HoldsAsync(
            async () =>
                await _cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.replicas WHERE node_id = 'a'") == 0,
            "nothing of it is wanted any more",
            TimeSpan.FromSeconds(Showing.Of(60, 180))
        );
    }

    [Thorough]
    [SmallDiskFact]
    public async Task A_disk_that_is_full_spends_no_round_and_the_load_goes_on_when_there_is_room()
    {
        var file = _share.Add(TestFile.Of(3 * Window)).Single();
        using var disk = new SmallDisk(_cluster.FolderOf("a"), mebibytes: 24);
        var node = await StartAsync();
        disk.Fill(bytes: 16 * 1024 * 1024);
        await node.LoadAsync("state", LoadNode.Order([file], 300, rounds: 1));
        await Eventually.HoldsAsync(
            async () =>
                await _cluster.Database.ScalarAsync<long>(
                    "SELECT count(*) FROM filetransfer.replicas WHERE state = 'wanted' AND next_attempt_at IS NOT NULL AND reason LIKE 'it needs % are free, %'"
                ) == 1,
            "the disk is in the way of it"
        );

        disk.MakeRoom();

        var load = await node.EndOfLoadAsync("state");
        load.Text("state").ShouldBe("stored", $"{load}");
        load.GetProperty("round").GetInt32().ShouldBe(1);
    }

    [Thorough]
    [Fact]
    public async Task A_share_that_takes_half_a_second_to_its_first_answer_fails_no_round()
    {
        var file = _share.Add(TestFile.Of(100_000)).Single();
        _share.Misbehaves = async (context, _, _) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(0.5), context.RequestAborted);
            return false;
        };
        var node = await StartAsync();

        await node.LoadAsync("state", LoadNode.Order([file], 300, rounds: 1));

        var load = await node.EndOfLoadAsync("state");
        load.Text("state").ShouldBe("stored", $"{load}");
    }

    private Task<NodeProcess> StartAsync() =>
        _cluster.StartLeaderAsync(
            "a",
            [
                .. SourceCluster.Impatient.Where(one => !one.Item1.Contains("WindowBytes", StringComparison.Ordinal)),
                .. FakeShare.Settings(("share", _share)),
            ]
        );

    private static async Task RoundsAsync(NodeProcess node, int round) =>
        await Eventually.HoldsAsync(
            async () =>
                await node.LoadOfAsync("state") is var load
                && load.GetProperty("round").GetInt32() >= round
                && load.GetProperty("bytesProven").GetInt64() >= Window,
            $"round {round} has begun, with what was proven before"
        );

    private static long FirstOf(HttpContext context) => context.Request.GetTypedHeaders().Range?.Ranges.Single().From ?? 0;
}
