using FileTransfer.IntegrationTests.Testbed.Browsers;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>Nodes, buckets and workers are steered from the page as a person does.</summary>
[Collection(DashboardCollection.Name)]
public sealed class DashboardSteeringTests(DashboardNodes nodes)
{
    [BrowserFact]
    public async Task Copies_priorities_workers_and_a_node_that_is_emptied_are_set_and_set_back()
    {
        await nodes.Leader.PutAsync(PlainFile.RandomBytes(2100), "steered");
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url);
        var page = browsed.Page;
        var bucket = browsed.Row("buckets", "0x02");

        await PressAsync(bucket, "copies-set", confirms: true);
        await SaidAsync("0x02:");
        await PressAsync(bucket, "copies-delete", confirms: true);
        await SaidAsync("0x02:");
        await PressAsync(bucket, "bucket-priority", confirms: true);
        await SaidAsync("priority 10 at node-a");

        var node = browsed.Row("nodes", "node-b").First;
        await PressAsync(node, "evacuate", confirms: true);
        await SaidAsync("node-b is being emptied");
        await PressAsync(node, "evacuate-cancel");
        await SaidAsync("node-b is kept");

        var worker = browsed.Row("workers", "feed-compaction");
        await PressAsync(worker, "worker-pause", confirms: true);
        await Expect(worker).ToContainTextAsync("paused until");
        await PressAsync(worker, "worker-resume");
        await SaidAsync("feed-compaction goes on");
        await PressAsync(worker, "worker-set", confirms: true);
        await SaidAsync("feed-compaction works every 60 s");
        (await browsed.SeriousAccessibilityFaultsAsync()).ShouldBeEmpty();
        browsed.Faults.ShouldBeEmpty();

        async Task PressAsync(ILocator within, string action, bool confirms = false)
        {
            await within.Locator($"[data-action={action}]").First.ClickAsync();
            if (confirms)
            {
                await page.Locator("dialog button[type=submit]").ClickAsync();
            }
        }

        Task SaidAsync(string text) => Expect(page.Locator("#said")).ToContainTextAsync(text);
    }

    [BrowserFact]
    public async Task A_download_comes_first_is_paused_and_cannot_be_cancelled_where_the_policy_wants_it()
    {
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Follower.Url);
        var page = browsed.Page;
        await page.GetByLabel("Location begins with").FillAsync(nodes.Large);
        await page.Keyboard.PressAsync("Enter");
        var file = page.Locator("dialog.file");
        await file.Locator("[data-action=priority]").ClickAsync();
        await page.Locator("dialog:not(.file) button[type=submit]").ClickAsync();
        await Expect(page.Locator("#said")).ToContainTextAsync("priority 10 at node-b");
        await file.Locator("[data-action=cancel]").ClickAsync();
        await page.Locator("dialog:not(.file) button[type=submit]").ClickAsync();
        await Expect(page.Locator("dialog [role=alert]")).ToContainTextAsync("The policy of its bucket wants");
        await page.Keyboard.PressAsync("Escape");
        await file.Locator("[data-action=pause]").ClickAsync();
        await page.Locator("dialog:not(.file) button[type=submit]").ClickAsync();
        await Expect(page.Locator("#said")).ToContainTextAsync("Paused: ");
        await Expect(file).ToContainTextAsync("It is paused: paused by anonymous until");
        await file.Locator("[data-action=resume]").ClickAsync();
        await Expect(file).Not.ToContainTextAsync("It is paused");
    }
}
