using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Browsers;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>Each action of the page does what it says, asked for as a person does.</summary>
[Collection(DashboardCollection.Name)]
public sealed class DashboardActionTests(DashboardNodes nodes)
{
    [BrowserFact]
    public async Task A_file_is_uploaded_found_looked_at_and_removed()
    {
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url);
        var page = browsed.Page;
        await Press(browsed.Section("files"), "put");
        var dialog = page.Locator("dialog");
        await dialog
            .GetByLabel("Content")
            .SetInputFilesAsync(
                new FilePayload
                {
                    Name = "x",
                    MimeType = "text/plain",
                    Buffer = PlainFile.RandomBytes(3000),
                }
            );
        await dialog.GetByLabel("Owner").FillAsync("0x01");
        await dialog.GetByLabel("Bucket").FillAsync("0xdd");
        await dialog.GetByLabel("Location").FillAsync("uploaded <i>here</i>");
        await Confirm(dialog);
        await Said(page, "uploaded <i>here</i> is stored");

        await page.GetByLabel("Location begins with").FillAsync("uploaded");
        await page.Keyboard.PressAsync("Enter");
        await browsed.Row("files", "uploaded <i>here</i>").GetByRole(AriaRole.Button).ClickAsync();
        var file = page.Locator("dialog.file");
        await Expect(file).ToContainTextAsync("It is stored here since");
        await Expect(file.Locator("tbody tr", new LocatorLocatorOptions { HasText = "node-a" })).ToContainTextAsync("stored");
        (await browsed.SeriousAccessibilityFaultsAsync()).ShouldBeEmpty();
        var key = await file.Locator("dd").Nth(6).InnerTextAsync();

        await Press(file, "scrub");
        await Said(page, "verified");
        await Press(file, "remove");
        // What destroys can be left with the key that everybody tries first.
        await page.Keyboard.PressAsync("Escape");
        (await nodes.Leader.StateOfAsync(key)).ShouldBe("stored");
        await Press(file, "remove");
        (await browsed.SeriousAccessibilityFaultsAsync()).ShouldBeEmpty();
        await Confirm(page.Locator("dialog:not(.file)"));
        await Said(page, "is removed");
        (await nodes.Leader.GetJsonAsync($"/v1/files/{key}")).GetProperty("fileState").GetString().ShouldBe("removed");
        browsed.Faults.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_follower_is_added_says_what_keeps_it_and_is_removed()
    {
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url);
        var page = browsed.Page;
        await Press(browsed.Section("followers"), "follower-add");
        var dialog = page.Locator("dialog");
        await dialog.GetByLabel("Name").FillAsync("archive");
        // Nobody answers there.
        await dialog.GetByLabel("URL").FillAsync("http://127.0.0.1:9");
        await Confirm(dialog);
        await Said(page, "archive is shipped to");
        await Expect(browsed.Row("followers", "archive")).ToContainTextAsync("unreachable");
        (await browsed.SeriousAccessibilityFaultsAsync()).ShouldBeEmpty();

        await Press(browsed.Row("followers", "archive"), "follower-remove");
        await Confirm(dialog);
        await Said(page, "archive is shipped to no more");
        (await nodes.Leader.GetJsonAsync("/v1/followers")).GetProperty("followers").GetArrayLength().ShouldBe(0);
        browsed.Faults.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_failed_file_says_why_and_is_tried_again_alone_and_with_others()
    {
        // The node may try one of them by itself at any time.
        TestFile[] files = [.. Enumerable.Range(0, 3).Select(_ => TestFile.Of(5000, place: "failed/"))];
        foreach (var file in files)
        {
            await file.KnowAsync(nodes.Cluster.Database);
        }

        await new ForgedReplica(nodes.Follower.Id, ReplicaState.Failed)
        {
            Attempts = 3,
            Reason = "node z sent <wrong> bytes",
        }.AddAsync(nodes.Cluster.Database, files);
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Follower.Url);

        var row = browsed.Row("failures", "failed/").First;
        await Expect(row).ToContainTextAsync("node z sent <wrong> bytes");
        await row.Locator("[data-action=retry]").ClickAsync();
        await Said(browsed.Page, "is tried again");
        await Press(browsed.Section("failures"), "retry-all");
        await Confirm(browsed.Page.Locator("dialog"));
        await Said(browsed.Page, "tried again at node-b");
        await Expect(browsed.Section("failures")).ToContainTextAsync("No file has failed here.");
        browsed.Faults.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_file_is_fetched_for_a_wish_that_is_withdrawn()
    {
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Follower.Url);
        var page = browsed.Page;
        await page.GetByLabel("Location begins with").FillAsync(nodes.Large);
        await page.Keyboard.PressAsync("Enter");
        var file = page.Locator("dialog.file");
        await Press(file, "retry");
        await Said(page, "is tried again");
        await Press(file, "fetch");
        await Expect(file.Locator("[data-action=withdraw]")).ToBeVisibleAsync();
        await Press(file, "withdraw");
        await Confirm(page.Locator("dialog:not(.file)"));
        await Expect(file.Locator("[data-action=withdraw]")).ToBeHiddenAsync();
        (await nodes.Follower.GetJsonAsync($"/v1/files/{nodes.Large}/explain"))
            .GetProperty("intents")
            .GetArrayLength()
            .ShouldBe(0);
        browsed.Faults.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Policies_and_limits_are_set_and_deleted()
    {
        await nodes.Leader.PutAsync(PlainFile.RandomBytes(2000), "of bucket 2");
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url);
        var page = browsed.Page;
        var bucket = browsed.Row("buckets", "0x02");
        await Press(bucket, "policy-set");
        await page.Locator("dialog").GetByLabel("Filters").FillAsync("prefix:utf8:no/\nexact:hex:00ff");
        await Confirm(page.Locator("dialog"));
        await Expect(bucket).ToContainTextAsync("everything except prefix:utf8:no/, exact:hex:00ff");
        await Press(bucket, "policy-set");
        await page.Locator("dialog").GetByLabel("Filters").FillAsync("nonsense");
        await Confirm(page.Locator("dialog"));
        await Expect(page.Locator("dialog [role=alert]")).ToContainTextAsync("nonsense");
        await page.Keyboard.PressAsync("Escape");
        await Press(bucket, "policy-delete");
        await Confirm(page.Locator("dialog"));
        await Expect(bucket).Not.ToContainTextAsync("except");

        await Press(browsed.Section("limits"), "limits-set");
        await page.Locator("dialog").GetByLabel("Download", new LocatorGetByLabelOptions { Exact = true }).FillAsync("7MiB/s");
        await page.Locator("dialog").GetByLabel("Per source").FillAsync("node z = 2MiB/s");
        await Confirm(page.Locator("dialog"));
        await Expect(browsed.Row("limits", "Download")).ToContainTextAsync("7MiB/s");
        await Expect(browsed.Row("limits", "node z")).ToContainTextAsync("2MiB/s");
        await Press(browsed.Section("limits"), "limits-delete");
        await Confirm(page.Locator("dialog"));
        await Expect(browsed.Row("limits", "Download")).ToContainTextAsync("unlimited");
        browsed.Faults.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_scrub_is_started_and_cancelled_orphans_go_and_a_node_that_is_gone_is_removed()
    {
        await nodes.Cluster.AddNamesAsync("node-y");
        await nodes.Cluster.Database.ExecuteAsync(
            "UPDATE filetransfer.nodes SET seen_at = now() - interval '1 hour' WHERE node_id = 'node-y'"
        );
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url);
        var page = browsed.Page;
        await Press(browsed.Section("scrub"), "scrub");
        await Confirm(page.Locator("dialog"));
        await Said(page, "It is being verified");
        await Closed(page);
        await Offer(page, "scrub-cancel");
        await Confirm(page.Locator("dialog"));
        await Said(page, "The scrub has ended");
        await Closed(page);
        await Offer(page, "orphans-discard");
        await Confirm(page.Locator("dialog"));
        await Said(page, "0 contents deleted");
        await Closed(page);

        var row = browsed.Row("nodes", "node-y").First;
        await Press(row, "node-remove");
        await Confirm(page.Locator("dialog"));
        await Said(page, "node-y is removed");
        await Expect(row).ToHaveCountAsync(0);
        browsed.Faults.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Downloads_of_a_bucket_are_paused_and_resumed_and_who_did_it_is_in_the_audit_log()
    {
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url);
        var page = browsed.Page;
        await Press(browsed.Section("steering"), "pause");
        await page.Locator("dialog").GetByLabel("Bucket").FillAsync("0xee");
        await Confirm(page.Locator("dialog"));
        await Said(page, "Paused: 0 files wait");
        await Expect(browsed.Row("steering", "bucket 0xee")).ToContainTextAsync("anonymous");
        await Press(browsed.Row("steering", "bucket 0xee"), "resume");
        await Expect(browsed.Section("steering")).ToContainTextAsync("Nothing is paused here.");
        await page.ReloadAsync();
        await Expect(browsed.Row("audit", "POST /v1/downloads/pause").First).ToContainTextAsync("done");
        await Expect(browsed.Section("history").Locator("figure").First).ToContainTextAsync("node-a");
        (await browsed.SeriousAccessibilityFaultsAsync()).ShouldBeEmpty();
        browsed.Faults.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task A_token_is_made_shown_once_and_revoked_and_a_file_is_restored_by_its_key()
    {
        var key = await nodes.Leader.PutAsync(PlainFile.RandomBytes(2000), "to be restored");
        await using var browsed = await nodes.Browser.OpenAsync(nodes.Leader.Url);
        var page = browsed.Page;
        await Press(browsed.Section("tokens"), "token-create");
        await page.Locator("dialog").GetByLabel("Name").FillAsync("nightly");
        await Confirm(page.Locator("dialog"));
        await Said(page, "The token nightly is made");
        await Expect(browsed.Section("tokens")).ToContainTextAsync("ft_");
        await Expect(browsed.Row("tokens", "nightly")).ToContainTextAsync("by anonymous");
        await browsed.Section("tokens").GetByText("I have it").ClickAsync();
        await Expect(browsed.Section("tokens")).Not.ToContainTextAsync("ft_");
        await Press(browsed.Row("tokens", "nightly"), "token-revoke");
        await Confirm(page.Locator("dialog"));
        await Said(page, "nightly is revoked");
        await Expect(browsed.Section("tokens")).ToContainTextAsync("None was made");

        await Press(browsed.Section("files"), "restore");
        await page.Locator("dialog").GetByLabel("Key of the removed file").FillAsync(key);
        await Confirm(page.Locator("dialog"));
        await Said(page, "is a file of the cluster again");
        (await browsed.SeriousAccessibilityFaultsAsync()).ShouldBeEmpty();
        browsed.Faults.ShouldBeEmpty();
    }

    private static Task Press(ILocator within, string action) => within.Locator($"[data-action={action}]").First.ClickAsync();

    /// <summary>As the button does that is on the page only while there is something to do.</summary>
    private static Task Offer(IPage page, string action) =>
        page.EvaluateAsync("action => { import('/dashboard/actions.js').then(actions => actions.act(action)); }", action);

    private static Task Confirm(ILocator dialog) => dialog.Locator("button[type=submit]").ClickAsync();

    /// <summary>No dialog is open any more: the next one has the same buttons.</summary>
    private static Task Closed(IPage page) => Expect(page.Locator("dialog[open]")).ToHaveCountAsync(0);

    private static Task Said(IPage page, string text) => Expect(page.Locator("#said")).ToContainTextAsync(text);
}
