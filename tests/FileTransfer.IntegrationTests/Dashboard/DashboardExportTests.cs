using System.Net.Http.Json;
using FileTransfer.IntegrationTests.Testbed.Browsers;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using static Microsoft.Playwright.Assertions;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>A share is written from the page.</summary>
[Collection(DashboardCollection.Name)]
public sealed class DashboardExportTests(DashboardNodes nodes)
{
    [BrowserFact]
    public async Task An_export_is_begun_ended_and_begun_again_to_its_end()
    {
        await nodes.Leader.PutAsync(PlainFile.RandomBytes(2200), "exported");
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url);
        var page = browsed.Page;
        (await nodes.Leader.Http.PostAsJsonAsync("/v1/workers/exports/pause", new { })).EnsureSuccessStatusCode();

        await BeginAsync();
        await Expect(browsed.Row("exports", "mirror")).ToContainTextAsync("running");
        (await browsed.SeriousAccessibilityFaultsAsync()).ShouldBeEmpty();
        await browsed.Row("exports", "mirror").Locator("[data-action=export-end]").ClickAsync();
        await page.Locator("dialog button[type=submit]").ClickAsync();
        await Expect(page.Locator("#said")).ToContainTextAsync("mirror is cancelled");

        (await nodes.Leader.Http.PostAsync("/v1/workers/exports/resume", null)).EnsureSuccessStatusCode();
        await BeginAsync();
        await Expect(browsed.Row("exports", "mirror")).ToContainTextAsync("done");
        browsed.Faults.ShouldBeEmpty();

        async Task BeginAsync()
        {
            await browsed.Section("exports").Locator("[data-action=export]").ClickAsync();
            await page.Locator("dialog").GetByLabel("Name").FillAsync("mirror");
            await page.Locator("dialog button[type=submit]").ClickAsync();
            await Expect(page.Locator("#said")).ToContainTextAsync("mirror is being written to");
        }
    }
}
