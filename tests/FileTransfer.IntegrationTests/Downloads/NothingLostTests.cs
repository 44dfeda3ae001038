using System.Net;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>A kill at any moment loses no stored file, and of a partial download at most what was asked for and not yet read.</summary>
public sealed class NothingLostTests
{
    [Thorough]
    [Fact]
    public async Task A_follower_killed_ten_times_during_a_download_completes_it_and_fetches_no_proven_byte_again()
    {
        const int size = 60_000_000;
        const int window = 1024 * 1024;
        var inFlight = PlannerLimits.Default.RequestsPerFileAndSource;
        await using var cluster = await TestCluster.CreateAsync();
        (string, string)[] settings =
        [
            ("FileTransfer__Downloads__PollInterval", "00:00:00.100"),
            ("FileTransfer__Downloads__WindowBytes", $"{window}"),
        ];
        var follower = await cluster.StartFollowerAsync("b", settings);
        await follower.CheckSaysAsync("membership", "healthy");
        await using var source = await FakeSource.StartAsync(cluster.Database, "source");
        source.BytesPerSecond = 8_000_000;
        var file = await source.OfferAsync(TestFile.Of(size));
        await file.WantAtAsync(follower);

        var random = new Random(20);
        for (var kill = 0; kill < 10; kill++)
        {
            var until = source.BytesSent + random.Next(100_000, 5_000_000);
            await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent >= until), $"kill {kill} is due");
            await follower.KillAsync();
            await Eventually.HoldsAsync(() => Task.FromResult(source.Open == 0), "its connections are gone");
            follower = await cluster.StartFollowerAsync("b", settings);
        }

        source.BytesPerSecond = 0;
        await TestCluster.StoredAsync(follower, file.Key.ToString());

        (await follower.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content"))
            .AsSpan()
            .SequenceEqual(file.Content)
            .ShouldBeTrue();
        var again = source.BytesSent - (size / 1024 * 1032L);
        again.ShouldBeLessThanOrEqualTo(
            10 * inFlight * (window / 1024 * 1032L),
            "at most the windows that were in flight at a kill are fetched twice"
        );
        Directory.EnumerateFileSystemEntries(Path.Combine(follower.DataDirectory, "partial")).ShouldBeEmpty();
    }

    [Thorough]
    [Fact]
    public async Task At_a_start_disk_and_catalog_are_brought_to_agree()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        (string, string)[] settings = [("FileTransfer__Store__OrphanGrace", "00:00:01")];
        var follower = await cluster.StartFollowerAsync("b", settings);
        var lost = TestFile.Of(200_000);
        var hidden = TestFile.Of(200_000);
        var kept = TestFile.Of(200_000);
        foreach (var file in new[] { lost, hidden, kept })
        {
            await leader.PutAsync(file.Content, file.Location);
            await TestCluster.StoredAsync(follower, file.Key.ToString());
        }

        await follower.KillAsync();
        // A stored row without its content; a content without a row, written long ago; a visible file without a row.
        File.Delete(ContentOf(follower, lost.Fingerprint));
        var orphan = Orphan(follower, TestFile.Of(5000), age: TimeSpan.FromHours(2));
        await cluster.Database.ExecuteAsync(
            $"DELETE FROM filetransfer.replicas WHERE node_id = 'b' AND file_key = {hidden.KeySql}"
        );
        // A stored file that was not made visible yet.
        StoredOnDisk.Execute(
            follower.DataDirectory,
            "UPDATE files SET hidden = hex(file_key) = $1",
            kept.Key.ToHex().ToUpperInvariant()
        );

        var again = await cluster.StartFollowerAsync("b", settings);

        await Eventually.HoldsAsync(
            async () =>
                (await again.Http.GetByteArrayAsync($"/v1/files/{lost.Key}/content")).AsSpan().SequenceEqual(lost.Content),
            "what was lost is fetched again"
        );
        await Eventually.HoldsAsync(() => Task.FromResult(!File.Exists(orphan)), "the orphan is collected");
        await Eventually.HoldsAsync(
            () => Task.FromResult(StoredOnDisk.Visible(again.DataDirectory).Contains(kept.Key.ToHex())),
            "the stored file is visible"
        );
        StoredOnDisk.Visible(again.DataDirectory).ShouldNotContain(hidden.Key.ToHex());
        (await again.StateOfAsync(hidden.Key.ToString())).ShouldBe("absent");
    }

    [Thorough]
    [Fact]
    public async Task A_content_that_is_lost_while_its_node_runs_is_fetched_again_once_it_is_asked_for()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        var file = TestFile.Of(200_000);
        await leader.PutAsync(file.Content, file.Location);
        await TestCluster.StoredAsync(follower, file.Key.ToString());

        File.Delete(ContentOf(follower, file.Fingerprint));

        (await follower.Http.GetAsync($"/download/{file.Key}")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await Eventually.HoldsAsync(
            async () =>
                (await follower.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content")).AsSpan().SequenceEqual(file.Content),
            "it is here again"
        );
    }

    private static string ContentOf(NodeProcess node, Fingerprint fingerprint) =>
        Path.Combine(node.DataDirectory, "content", fingerprint.ToHex()[..2], fingerprint.ToHex()[2..4], fingerprint.ToHex());

    private static string Orphan(NodeProcess node, TestFile file, TimeSpan age)
    {
        var path = ContentOf(node, file.Fingerprint);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, file.Content);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow - age);
        return path;
    }
}
