using System.Runtime.CompilerServices;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Chunks.Durability;

/// <summary>A fact about a disk that fails; skipped, and says why, where calls cannot be made to fail.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FailingDiskFactAttribute : FactAttribute
{
    public FailingDiskFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line) => Skip = FailingDiskTests.Library.Hindrance;
}

/// <summary>A follower whose disk answers with errors: the file is set aside and brought again, or the queue waits; nothing is spent.</summary>
public sealed class FailingDiskTests : IAsyncLifetime
{
    internal static readonly PreloadedLibrary Library = new("diskfault.c");

    private const int InputOutput = 5;
    private const int AccessDenied = 13;
    private const int ReadOnly = 30;

    private TestCluster _cluster = null!;
    private NodeProcess _leader = null!;

    private string Rules => Path.Combine(_cluster.Folder, "rules");

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        _leader = await _cluster.StartLeaderAsync("a");
        await SetRulesAsync();
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Thorough]
    [FailingDiskFact]
    public async Task A_content_that_cannot_be_read_or_opened_is_set_aside_and_comes_back_from_the_leader()
    {
        var follower = await StartAsync();
        List<TestFile> files = [TestFile.Of(120_000), TestFile.Of(6_000_000), TestFile.Of(120_001), TestFile.Of(6_000_001)];
        var rules = new List<string>();
        foreach (var file in files)
        {
            await _leader.PutAsync(file.Content, file.Location);
            await TestCluster.StoredAsync(follower, file.Key.ToString());
            var path = StoredOnDisk.PathOf(follower, file.Fingerprint.ToString());
            rules.Add(
                rules.Count < 2
                    ? $"read {InputOutput} {await InodeOfAsync(path)}"
                    : $"open {AccessDenied} {await InodeOfAsync(path)}"
            );
        }

        await SetRulesAsync([.. rules]);
        foreach (var file in files)
        {
            foreach (var path in (string[])[$"/v1/files/{file.Key}/content", $"/download/{file.Key}"])
            {
                await ShouldNotBeWholeAndWrongAsync(follower, path, file);
            }
        }

        foreach (var file in files)
        {
            await TestCluster.StoredAsync(follower, file.Key.ToString());
            (await follower.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content")).ShouldBe(file.Content);
        }

        var reasons = StoredOnDisk.Quarantined(follower);
        reasons.Count.ShouldBe(files.Count);
        reasons.ShouldAllBe(reason => reason.Contains("it cannot be read"));
    }

    [Thorough]
    [FailingDiskFact]
    public async Task A_file_system_that_became_read_only_pauses_the_queue_spends_nothing_and_goes_on_when_it_is_writable()
    {
        var follower = await StartAsync();
        var before = TestFile.Of(100_000);
        await _leader.PutAsync(before.Content, before.Location);
        await TestCluster.StoredAsync(follower, before.Key.ToString());

        await SetRulesAsync($"write {ReadOnly} {follower.DataDirectory}/");
        TestFile[] files = [TestFile.Of(1000), TestFile.Of(6_000_000)];
        foreach (var file in files)
        {
            await _leader.PutAsync(file.Content, file.Location);
        }

        await Eventually.HoldsAsync(
            async () =>
                await DiskAsync(follower) is ("degraded", var detail)
                && detail.Contains("the file system is read-only; mount it for writing"),
            "health says that the disk is read-only"
        );
        (await follower.Http.GetByteArrayAsync($"/v1/files/{before.Key}/content")).ShouldBe(before.Content);
        (
            await _cluster.Database.ScalarAsync<int>("SELECT max(attempts) FROM filetransfer.replicas WHERE node_id = 'b'")
        ).ShouldBe(0);

        await SetRulesAsync();
        foreach (var file in files)
        {
            await TestCluster.StoredAsync(follower, file.Key.ToString());
        }

        await Eventually.HoldsAsync(async () => (await DiskAsync(follower)).Status == "healthy", "health is well again");
    }

    [Thorough]
    [FailingDiskFact]
    public async Task A_database_of_small_contents_that_cannot_be_written_pauses_the_queue_and_goes_on_when_it_can()
    {
        var follower = await StartAsync();
        var before = TestFile.Of(1000);
        await _leader.PutAsync(before.Content, before.Location);
        await TestCluster.StoredAsync(follower, before.Key.ToString());

        await SetRulesAsync($"write {ReadOnly} {follower.DataDirectory}/small.db");
        var after = TestFile.Of(2000);
        await _leader.PutAsync(after.Content, after.Location);

        await Eventually.HoldsAsync(
            async () => await DiskAsync(follower) is ("degraded", var detail) && detail.Contains("small.db"),
            "health names the database"
        );
        (await follower.Http.GetByteArrayAsync($"/v1/files/{before.Key}/content")).ShouldBe(before.Content);
        (
            await _cluster.Database.ScalarAsync<int>("SELECT max(attempts) FROM filetransfer.replicas WHERE node_id = 'b'")
        ).ShouldBe(0);

        await SetRulesAsync();
        await TestCluster.StoredAsync(follower, after.Key.ToString());
        (await follower.Http.GetByteArrayAsync($"/v1/files/{after.Key}/content")).ShouldBe(after.Content);
        StoredOnDisk.Quarantined(follower).ShouldBeEmpty();
    }

    [Thorough]
    [FailingDiskFact]
    public async Task A_partial_that_cannot_be_read_any_more_is_begun_anew()
    {
        await using var source = await FakeSource.StartAsync(_cluster.Database, "source");
        var follower = await StartAsync();
        var file = await source.OfferAsync(TestFile.Of(3_000_000));
        source.SilentAfter = 1_000_000;
        await file.WantAtAsync(follower);
        await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent > 500_000), "some of it came");
        await follower.KillAsync();
        var partial = Directory
            .EnumerateDirectories(Path.Combine(follower.DataDirectory, "partial"), $"{file.Key.ToHex()}.*")
            .ShouldHaveSingleItem();
        var data = Path.Combine(partial, "data");
        await SetRulesAsync($"read {InputOutput} {await InodeOfAsync(data)}");

        // As long as it is open no other file gets its number.
        using var held = File.OpenHandle(data, share: FileShare.ReadWrite | FileShare.Delete);
        source.SilentAfter = null;

        follower = await StartAsync();

        await TestCluster.StoredAsync(follower, file.Key.ToString());
        (await follower.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content")).ShouldBe(file.Content);
        (await follower.GetJsonAsync($"/v1/files/{file.Key}"))
            .GetProperty("replicas")
            .EnumerateArray()
            .Single(replica => replica.GetProperty("node").GetString() == "b")
            .GetProperty("attempts")
            .GetInt32()
            .ShouldBe(0);
    }

    private Task<NodeProcess> StartAsync() =>
        _cluster.StartFollowerAsync("b", [.. SourceCluster.Impatient, ("LD_PRELOAD", Library.Path), ("DISKFAULT_RULES", Rules)]);

    private Task SetRulesAsync(params string[] rules) => File.WriteAllLinesAsync(Rules, rules);

    private static async Task<string> InodeOfAsync(string path)
    {
        using var stat = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%i", path])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
            }
        )!;
        var inode = (await stat.StandardOutput.ReadToEndAsync()).Trim();
        await stat.WaitForExitAsync();
        return inode;
    }

    private static async Task<(string Status, string Detail)> DiskAsync(NodeProcess node)
    {
        var check = (await node.GetJsonAsync("/health/ready")).GetProperty("checks").GetProperty("disk");
        return (check.GetProperty("status").GetString()!, check.GetProperty("detail").GetString()!);
    }

    private static async Task ShouldNotBeWholeAndWrongAsync(NodeProcess node, string path, TestFile file)
    {
        try
        {
            using var answer = await node.Http.GetAsync(path);
            if (answer.IsSuccessStatusCode && !path.StartsWith("/download/", StringComparison.Ordinal))
            {
                (await answer.Content.ReadAsByteArrayAsync()).ShouldBe(file.Content);
            }
        }
        catch (HttpRequestException)
        {
            // Cut.
        }
    }
}
