using FileTransfer.IntegrationTests.Testbed.Browsers;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using static Microsoft.Playwright.Assertions;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>A node of another cluster that announces itself is seen on the page, and trusted there.</summary>
[Collection(DashboardCollection.Name)]
public sealed class DashboardPeersTests(DashboardNodes nodes)
{
    [BrowserFact]
    public async Task A_peer_is_shown_with_its_standing_and_trusted_and_revoked_by_hand()
    {
        await using var others = await GossipingNodes.CreateAsync(1);
        await others.StartAsync(0, [], seed: nodes.Leader.Url);
        await nodes.Leader.PeerIsAsync(0, "unknown", trusted: false);
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url);
        var (page, row) = (browsed.Page, browsed.Row("peers", "c0/n"));
        await Expect(row).ToContainTextAsync("not trusted");

        await row.Locator("[data-action=trust-add]").ClickAsync();
        await page.Locator("dialog button[type=submit]").ClickAsync();
        await Expect(page.Locator("#said")).ToContainTextAsync("n is trusted by this key");
        await nodes.Leader.PeerIsAsync(0, "alive");
        await page.ReloadAsync();
        await Expect(row).ToContainTextAsync("alive");
        await Expect(row.Locator("[data-action=trust-add]")).ToBeHiddenAsync();

        await row.Locator("[data-action=trust-remove]").ClickAsync();
        await page.Locator("dialog button[type=submit]").ClickAsync();
        await Expect(page.Locator("#said")).ToContainTextAsync("n is not trusted any more");
        await nodes.Leader.PeerIsAsync(0, "unknown", trusted: false);
        (await browsed.SeriousAccessibilityFaultsAsync()).ShouldBeEmpty();
        browsed.Faults.ShouldBeEmpty();
    }
}
