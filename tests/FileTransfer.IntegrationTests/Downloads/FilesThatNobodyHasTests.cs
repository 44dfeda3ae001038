using System.Diagnostics;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>Files that nobody has do not hold up those that somebody has, however many they are.</summary>
public sealed class FilesThatNobodyHasTests : IAsyncLifetime
{
    private static readonly int _files = Showing.Of(small: 20_000, full: 200_000);

    private TestCluster _cluster = null!;
    private NodeProcess _leader = null!;
    private NodeProcess _follower = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        _leader = await _cluster.StartLeaderAsync("a");
        _follower = await _cluster.StartFollowerAsync("b");
        await StoreAsync();
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Thorough]
    [Fact]
    public async Task An_upload_reaches_the_follower_as_fast_as_without_them()
    {
        var without = await MedianAsync();

        await Backlog.AddAsync(_cluster.Database, "b", _files);
        var among = await StoreAsync();
        await Eventually.HoldsAsync(async () => await ReadyAsync() == 0, "they wait outside the queue", TimeSpan.FromMinutes(2));

        // The first may come upon the end of a page of them that is being put aside.
        Showing.Tell($"a new upload among {_files} files that nobody has", among.TotalMilliseconds, 2000, "ms");
        among.ShouldBeLessThan(TimeSpan.FromSeconds(Showing.Of(small: 10, full: 2)));
        await Showing.UntilItHoldsAsync(async () =>
        {
            var beside = await MedianAsync();
            Showing.Tell($"a new upload beside {_files} files that nobody has", beside.TotalMilliseconds, 150, "ms");
            beside.ShouldBeLessThan(without + TimeSpan.FromMilliseconds(Showing.Of(small: 500, full: 100)));
        });

        var key = PlainFile.Hex(
            (
                await _cluster.Database.ScalarAsync<byte[]>(
                    "SELECT file_key FROM filetransfer.files WHERE owner = '\\x0b' LIMIT 1"
                )
            )!
        );
        var says = (await _follower.GetJsonAsync($"/v1/files/{key}/explain")).ToString();
        says.ShouldContain("no other node has it stored");
        says.ShouldContain("as soon as another node gets it stored", Case.Insensitive, says);
    }

    private Task<long> ReadyAsync() =>
        _cluster.Database.ScalarAsync<long>(
            "SELECT count(*) FROM filetransfer.replicas WHERE node_id = 'b' AND state = 'wanted' AND waits_for IS DISTINCT FROM 'provider'"
        );

    private async Task<TimeSpan> MedianAsync()
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < 5; i++)
        {
            times.Add(await StoreAsync());
        }

        return times.Order().ElementAt(times.Count / 2);
    }

    /// <summary>From the answer to an upload at the leader until its follower has the file stored.</summary>
    private async Task<TimeSpan> StoreAsync()
    {
        var file = PlainFile.Random(10_000);
        await _leader.StoreAsync(file);
        var clock = Stopwatch.StartNew();
        while (await _follower.StateOfAsync(file.Key) != "stored")
        {
            clock.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(3), $"{file.Key} is stored at {_follower.Id}");
        }

        return clock.Elapsed;
    }
}
