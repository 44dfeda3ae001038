using FileTransfer.IntegrationTests.Testbed.Browsers;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>The page follows what happens, and says so when it cannot.</summary>
[Collection(DashboardCollection.Name)]
public sealed class DashboardLiveTests(DashboardNodes nodes)
{
    [BrowserFact]
    public async Task What_happens_at_the_node_appears_by_itself()
    {
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url);
        await Expect(browsed.Page.Locator("#live")).ToHaveTextAsync("live");
        await Expect(browsed.Section("events")).ToContainTextAsync("Nothing has happened");

        var key = await nodes.Leader.PutAsync(PlainFile.RandomBytes(5000), "news.txt");

        await Expect(browsed.Row("events", key[..12])).ToContainTextAsync("done");
        browsed.Faults.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_lost_connection_is_told_and_comes_back_by_itself()
    {
        await using var wire = new ForwardingProxy { Target = nodes.Leader.Url };
        await using var browsed = await nodes.Browser.OpenAsync(new Uri(wire.Url));
        var live = browsed.Page.Locator("#live");
        await Expect(live).ToHaveTextAsync("live");

        wire.Cut();
        await Expect(live).ToContainTextAsync("connection lost");

        wire.Target = nodes.Leader.Url;
        await Expect(live).ToHaveTextAsync("live");
        browsed.Faults.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_page_that_nobody_looks_at_asks_nothing()
    {
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url, prepare: page => page.Clock.InstallAsync());
        var page = browsed.Page;
        await Expect(page.Locator("#live")).ToHaveTextAsync("live");
        await page.EvaluateAsync(Hide, true);
        await Expect(page.Locator("#live")).ToHaveTextAsync("resting");
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        var asked = browsed.Asked.Count;

        await page.Clock.FastForwardAsync("10:00");
        browsed.Asked.Count.ShouldBe(asked);

        await page.EvaluateAsync(Hide, false);
        await Expect(page.Locator("#live")).ToHaveTextAsync("live");
        await page.Clock.RunForAsync(1000);
        await Eventually.HoldsAsync(() => Task.FromResult(browsed.Asked.Count > asked + 5), "it asks again");
    }

    private const string Hide = """
        hidden => {
            Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }
        """;
}
