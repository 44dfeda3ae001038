using FileTransfer.IntegrationTests.Testbed.Browsers;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using static Microsoft.Playwright.Assertions;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>Where the node wants a token, the page asks for one and forgets it with its tab.</summary>
[Collection(DashboardCollection.Name)]
public sealed class DashboardTokenTests(DashboardNodes nodes)
{
    [BrowserFact]
    public async Task A_token_is_asked_for_and_kept_for_the_tab_alone()
    {
        await using var server = await RunningServer.StartAsync(RunningServer.Tokens(RunningServer.Token("secret", "read")));
        await using var browsed = await nodes.Browser.OpenAsync(server.Address);
        var (page, live) = (browsed.Page, browsed.Page.Locator("#live"));
        var dialog = page.Locator("dialog");
        await Expect(dialog).ToContainTextAsync("This node requires a token");
        await Expect(live).ToHaveTextAsync("a token is needed");

        await GiveAsync("wrong");
        await Expect(dialog).ToContainTextAsync("is not known to this node");
        await GiveAsync("secret");
        await Expect(live).ToHaveTextAsync("live");
        await Expect(dialog).ToHaveCountAsync(0);

        await page.ReloadAsync();
        await Expect(live).ToHaveTextAsync("live");
        (await page.EvaluateAsync<string>("() => JSON.stringify([{ ...localStorage }, document.cookie])")).ShouldBe(
            """[{},""]"""
        );
        browsed.Asked.ShouldAllBe(url => !url.Contains("secret", StringComparison.Ordinal));
        await using var other = await nodes.Browser.OpenAsync(server.Address);
        await Expect(other.Page.Locator("dialog")).ToContainTextAsync("This node requires a token");

        async Task GiveAsync(string token)
        {
            await dialog.Locator("input").FillAsync(token);
            await dialog.Locator("input").PressAsync("Enter");
        }
    }
}
