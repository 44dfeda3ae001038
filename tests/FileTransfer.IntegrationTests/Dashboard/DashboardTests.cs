using FileTransfer.IntegrationTests.Testbed.Browsers;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>The page in a real browser, over real nodes.</summary>
[Collection(DashboardCollection.Name)]
public sealed class DashboardTests(DashboardNodes nodes)
{
    [BrowserFact]
    public async Task The_first_view_names_nodes_and_downloads_under_way()
    {
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Follower.Url);

        await Expect(browsed.Row("nodes", "node-a")).ToContainTextAsync("leader");
        await Expect(browsed.Row("nodes", "node-b")).ToContainTextAsync("this node");
        await Expect(browsed.Row("nodes", "node-b")).ToContainTextAsync("healthy");
        await Expect(browsed.Row("nodes", "node-a")).ToContainTextAsync("floor");
        await Expect(browsed.Section("nodes")).ToContainTextAsync("node-a leads since");
        await Expect(browsed.Section("nodes")).ToContainTextAsync("Not in step:");
        await Expect(browsed.Section("nodes")).ToContainTextAsync("node-b lacks");
        var download = browsed.Row("downloads", DashboardNodes.LargeLocation);
        await Expect(download).ToContainTextAsync("node node-a");
        await Expect(download).ToContainTextAsync("KiB/s");
        await Expect(download.Locator("progress")).ToBeVisibleAsync();
        await Expect(browsed.Row("queue", "downloading")).ToBeVisibleAsync();
        browsed.Faults.ShouldBeEmpty();
        browsed.Asked.ShouldAllBe(url => url.StartsWith(nodes.Follower.Url.ToString(), StringComparison.Ordinal));
    }

    [BrowserTheory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(400, ColorScheme.Dark)]
    public async Task Nothing_serious_keeps_anybody_from_using_it(int width, ColorScheme scheme)
    {
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Follower.Url, width, scheme);
        await Expect(browsed.Row("downloads", DashboardNodes.LargeLocation)).ToBeVisibleAsync();

        (await browsed.SeriousAccessibilityFaultsAsync()).ShouldBeEmpty();
        var overflow = await browsed.Page.EvaluateAsync<int>(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        );
        overflow.ShouldBe(0);
        browsed.Faults.ShouldBeEmpty();
    }
}
