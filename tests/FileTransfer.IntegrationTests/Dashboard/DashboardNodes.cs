using FileTransfer.IntegrationTests.Testbed.Browsers;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>A leader, a follower that downloads slowly, and a browser, for all facts about the page.</summary>
public sealed class DashboardNodes : IAsyncLifetime
{
    public NodeProcess Leader { get; private set; } = null!;

    public NodeProcess Follower { get; private set; } = null!;

    public Chromium Browser { get; private set; } = null!;

    public TestCluster Cluster { get; private set; } = null!;

    /// <summary>Larger than the follower downloads while all facts look at it.</summary>
    public const string LargeLocation = "<b>slow</b> & large.bin";

    public string Large { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (Chromium.Hindrance is not null)
        {
            return;
        }

        var browser = Chromium.StartAsync();
        Cluster = await TestCluster.CreateAsync();
        var shares = Directory.CreateDirectory(Cluster.FolderOf("shares")).FullName;
        Leader = await Cluster.StartLeaderAsync("node-a", ("FileTransfer__ExportFolder", shares));
        Follower = await Cluster.StartFollowerAsync("node-b", ("FileTransfer__Limits__Download", "512KiB/s"));
        Large = await Leader.PutAsync(new byte[256 * 1024 * 1024], LargeLocation);
        Browser = await browser;
    }

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null)
        {
            await Browser.DisposeAsync();
            await Cluster.DisposeAsync();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class DashboardCollection : ICollectionFixture<DashboardNodes>
{
    public const string Name = "dashboard";
}
