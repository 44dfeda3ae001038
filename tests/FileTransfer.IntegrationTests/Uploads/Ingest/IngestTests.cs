using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Uploads.Ingest;

public sealed class IngestTests
{
    [Fact]
    public async Task What_is_renamed_in_is_taken_at_once_and_what_is_written_there_when_it_is_quiet_each_once_and_in_the_order_of_names()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        string[] names = [.. Enumerable.Range(1, 40).Select(i => $"seg-{i:000}.sealed")];
        var before = names.Reverse().Select(name => folder.Drop(name)).ToList();
        await File.WriteAllTextAsync(folder.PathOf("seg-041.open"), "another name");

        // A file that was there before may still be written: it is taken once it is quiet.
        var leader = await cluster.StartLeaderAsync("a", folder.Settings(quietFor: "00:00:01"));
        await WatchFolder.IngestedAsync(leader, names.Length);
        (await WatchFolder.AddedAsync(cluster)).ShouldBe(names.Select(name => "log/" + name));
        before.ForEach(file => leader.StateOfAsync(file.Key).Result.ShouldBe("stored"));

        // Nothing is quiet for an hour, so that only what is renamed in is taken.
        (await leader.StopAsync()).ShouldBe(0);
        leader = await cluster.StartLeaderAsync("a", folder.Settings());
        await Eventually.HoldsAsync(
            async () => (await WatchFolder.StatusAsync(leader)).GetProperty("listedAt").GetString() is not null,
            "the folder was listed"
        );
        var written = folder.PathOf("seg-099.sealed");
        await File.WriteAllBytesAsync(written, new byte[10]);
        var large = folder.Drop("seg-041.sealed", 300_000);
        var small = folder.Drop("seg-042.sealed");
        foreach (var file in (PlainFile[])[large, small])
        {
            await TestCluster.StoredAsync(leader, file.Key);
        }

        (await WatchFolder.OfAsync(leader, "seg-099.sealed")).ShouldBeNull();
        await WatchFolder.IngestedAsync(leader, names.Length + 2);
        (await cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.mutations")).ShouldBe(names.Length + 2);
    }

    [Thorough]
    [Fact]
    public async Task A_node_that_does_not_lead_hands_over_to_the_leader_and_goes_on_at_the_next_one()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        var leader = await cluster.StartLeaderAsync("a");
        var watching = await cluster.StartFollowerAsync("b", folder.Settings(quietFor: "00:00:00.5"));
        await WatchFolder.WatchedAsync(watching);
        var small = folder.Drop("seg-1.sealed");
        var large = folder.Drop("seg-2.sealed", 1_000_000);
        await WatchFolder.IngestedAsync(leader, 2);
        foreach (var node in (NodeProcess[])[leader, watching])
        {
            await TestCluster.StoredAsync(node, small.Key);
            await TestCluster.StoredAsync(node, large.Key);
        }

        await WatchFolder.AcknowledgedAsync(leader, "seg-2.sealed", "a", "b");
        await leader.KillAsync();
        var orphan = folder.Drop("seg-3.sealed");
        await watching.CheckSaysAsync("ingest", "degraded", "cannot be taken");
        var heir = await cluster.StartLeaderAsync("c");
        await TestCluster.StoredAsync(heir, orphan.Key);
        await watching.CheckSaysAsync("ingest", "healthy");
        (await WatchFolder.AddedAsync(cluster)).ShouldBe(["log/seg-1.sealed", "log/seg-2.sealed", "log/seg-3.sealed"]);
    }

    [Thorough]
    [Fact]
    public async Task A_node_that_is_killed_while_it_takes_files_neither_skips_nor_doubles_one()
    {
        const int files = 600;
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        for (var i = 0; i < files; i++)
        {
            folder.Drop($"seg-{i:000}.sealed", 100 + i);
        }

        for (var kills = 1; kills <= 3; kills++)
        {
            var killed = await cluster.StartLeaderAsync("a", folder.Settings(quietFor: "00:00:00.1"));
            var some = kills;
            await Eventually.HoldsAsync(
                async () => (await WatchFolder.AddedAsync(cluster)).Count >= some * 100,
                "some were taken"
            );
            await killed.KillAsync();
        }

        var leader = await cluster.StartLeaderAsync("a", folder.Settings(quietFor: "00:00:00.1"));
        await WatchFolder.IngestedAsync(leader, files);
        (await WatchFolder.AddedAsync(cluster)).ShouldBe(Enumerable.Range(0, files).Select(i => $"log/seg-{i:000}.sealed"));
    }

    [Thorough]
    [Fact]
    public async Task A_numbered_series_shows_what_was_found_and_what_is_missing_until_it_comes()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings());
        foreach (var name in (string[])["seg-07.sealed", "seg-08.sealed", "seg-11.sealed"])
        {
            folder.Drop(name);
        }

        foreach (var segment in (string[])["00", "01", "FE", "FF"])
        {
            folder.Drop($"0000000100000000000000{segment}.sealed");
        }

        folder.Drop("000000010000000100000000.sealed");
        await WatchFolder.IngestedAsync(leader, 8);
        await leader.SaysAsync("The number of seg-11.sealed in the watched folder wal does not follow the one before");
        (await RunsAsync()).ShouldContain("seg-#.sealed 7-8 FOUND, seg-#.sealed 9-10 MISSING_DELAYED, seg-#.sealed 11-11 FOUND");
        (await RunsAsync()).ShouldContain("0000000000000002-00000000000000FD MISSING_DELAYED");
        (await RunsAsync()).ShouldContain("00000000000000FE-0000000100000000 FOUND");

        await cluster.Database.ExecuteAsync(
            "UPDATE filetransfer.ingested SET ingested_at = ingested_at - interval '2 minutes' WHERE name = 'seg-11.sealed'"
        );
        (await RunsAsync()).ShouldContain("seg-#.sealed 9-10 MISSING_LOST");
        folder.Drop("seg-09.sealed");
        folder.Drop("seg-10.sealed");
        await WatchFolder.IngestedAsync(leader, 10);
        (await RunsAsync()).ShouldContain("seg-#.sealed 7-11 FOUND");

        async Task<string> RunsAsync() =>
            string.Join(
                ", ",
                (await WatchFolder.StatusAsync(leader))
                    .GetProperty("series")
                    .EnumerateArray()
                    .Select(run =>
                        $"{run.GetProperty("series")} {run.GetProperty("from")}-{run.GetProperty("to")} {run.GetProperty("state")}"
                    )
            );
    }

    [Thorough]
    [Fact]
    public async Task A_file_is_deleted_from_the_folder_only_when_every_node_has_it_and_never_taken_again()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings(deletes: true));
        var follower = await cluster.StartFollowerAsync("b");
        var first = folder.Drop("seg-1.sealed");
        await Eventually.HoldsAsync(() => Task.FromResult(!File.Exists(folder.PathOf("seg-1.sealed"))), "it is deleted");
        (await follower.StateOfAsync(first.Key)).ShouldBe("stored");

        await follower.KillAsync();
        var second = folder.Drop("seg-2.sealed");
        await TestCluster.StoredAsync(leader, second.Key);
        var third = folder.Drop("seg-3.sealed");
        await WatchFolder.AcknowledgedAsync(leader, "seg-3.sealed", "a");
        var listed = (await WatchFolder.StatusAsync(leader)).GetProperty("listedAt").GetDateTimeOffset();
        await Eventually.HoldsAsync(
            async () => (await WatchFolder.StatusAsync(leader)).GetProperty("listedAt").GetDateTimeOffset() > listed,
            "it was listed again"
        );
        File.Exists(folder.PathOf("seg-2.sealed")).ShouldBeTrue("b does not have it");

        follower = await cluster.StartFollowerAsync("b");
        await TestCluster.StoredAsync(follower, third.Key);
        await Eventually.HoldsAsync(
            () => Task.FromResult(!File.Exists(folder.PathOf("seg-2.sealed")) && !File.Exists(folder.PathOf("seg-3.sealed"))),
            "all have them, and they are deleted"
        );
        (await leader.StopAsync()).ShouldBe(0);
        leader = await cluster.StartLeaderAsync("a", folder.Settings(deletes: true));
        await WatchFolder.IngestedAsync(leader, 3);
        (await WatchFolder.AddedAsync(cluster)).Count.ShouldBe(3);
    }

    [Thorough]
    [Fact]
    public async Task A_folder_that_is_full_at_the_first_start_is_taken_in_bounded_memory()
    {
        var files = Showing.Of(small: 6_000, full: 100_000);
        await using var cluster = await TestCluster.CreateAsync();

        // Memory is another file system than the nodes' folders are on.
        var root = Directory.Exists("/dev/shm") ? "/dev/shm" : cluster.Folder;
        var folder = new WatchFolder(Path.Combine(root, $"watched-{Guid.NewGuid():N}"));
        try
        {
            for (var i = 0; i < files; i++)
            {
                await File.WriteAllBytesAsync(folder.PathOf($"seg-{i:000000}.sealed"), BitConverter.GetBytes((long)i));
            }

            var leader = await cluster.StartLeaderAsync("a", folder.Settings(quietFor: "00:00:01"));
            var before = leader.ResidentBytes;
            var began = TimeProvider.System.GetTimestamp();
            await WatchFolder.IngestedAsync(leader, files, TimeSpan.FromMinutes(10));
            Showing.Tell(
                "files of a full watch folder a second",
                files / TimeProvider.System.GetElapsedTime(began).TotalSeconds,
                100,
                "/s"
            );
            (leader.ResidentBytes - before).ShouldBeLessThan(200L * 1024 * 1024);
            (await WatchFolder.AddedAsync(cluster)).ShouldBe(
                Enumerable.Range(0, files).Select(i => $"log/seg-{i:000000}.sealed")
            );
        }
        finally
        {
            Directory.Delete(folder.Path, recursive: true);
            Directory.Delete(folder.Path + ".beside", recursive: true);
        }
    }
}
