using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads.Sources;

/// <summary>Nodes that download the same large file give each other what they have of it.</summary>
public sealed class FellowTests : IAsyncLifetime
{
    private const int Size = 40_000_000;

    private TestCluster _cluster = null!;
    private FakeSource _source = null!;
    private FakeSource _fellow = null!;
    private NodeProcess _follower = null!;
    private TestFile _file = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        _follower = await _cluster.StartFollowerAsync("b");
        await _follower.CheckSaysAsync("membership", "healthy");
        _source = await FakeSource.StartAsync(_cluster.Database, "source");
        _fellow = await FakeSource.StartAsync(_cluster.Database, "fellow");
        _source.TotalBytesPerSecond = 6_000_000;
        _file = await _source.OfferAsync(TestFile.Of(Size));
        await _fellow.DownloadsAsync(_file);
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _fellow.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Thorough]
    [Fact]
    public async Task What_another_node_has_of_a_file_that_it_downloads_comes_from_there()
    {
        await StoreAsync();
        _fellow.BytesSent.ShouldBeGreaterThan(Size / 2);
        _source.BytesSent.ShouldBeLessThan(Size * 2 / 3);
    }

    [Thorough]
    [Fact]
    public async Task One_that_passes_on_a_wrong_chunk_is_blamed_by_its_name_and_the_file_comes()
    {
        _fellow.LiesInBody = 1;
        await StoreAsync();
        _follower.Log.ShouldContain("Source node fellow sent wrong bytes");
        _follower.Log.ShouldNotContain("Source node source sent wrong bytes");
    }

    [Thorough]
    [Fact]
    public async Task One_that_stops_sending_holds_nothing_up_and_is_blamed_for_nothing()
    {
        _fellow.SilentAfter = 5_000_000;
        _source.TotalBytesPerSecond = 20_000_000;
        await StoreAsync();
        _follower.Log.ShouldNotContain("sent wrong bytes");
    }

    private async Task StoreAsync()
    {
        await _file.WantAtAsync(_follower);
        await TestCluster.StoredAsync(_follower, _file.Key.ToString(), TimeSpan.FromMinutes(2));
        _fellow.PartsAsked.ShouldBeGreaterThan(0);
    }
}
