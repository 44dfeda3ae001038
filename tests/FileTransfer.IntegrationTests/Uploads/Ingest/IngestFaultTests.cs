using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Uploads.Ingest;

public sealed class IngestFaultTests
{
    [Thorough]
    [Fact]
    public async Task A_file_that_grows_after_it_was_taken_is_an_error_that_is_shown_and_holds_up_nothing()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings(quietFor: "00:00:00.3"));
        var first = folder.Drop("seg-1.sealed");
        await WatchFolder.IngestedAsync(leader, 1);

        await File.AppendAllTextAsync(folder.PathOf("seg-1.sealed"), "and more");
        await WatchFolder.RefusedAsync(
            leader,
            "seg-1.sealed",
            "it has other bytes than when it was ingested (3000 bytes then, 3008 now)"
        );
        await leader.CheckSaysAsync("ingest", "degraded", "seg-1.sealed");
        var second = folder.Drop("seg-2.sealed");
        await TestCluster.StoredAsync(leader, second.Key);
        folder.Drop("seg-2.sealed", 4000);
        await WatchFolder.RefusedAsync(leader, "seg-2.sealed", "other bytes");
        (await leader.StateOfAsync(first.Key)).ShouldBe("stored");
        (await WatchFolder.AddedAsync(cluster)).ShouldBe(["log/seg-1.sealed", "log/seg-2.sealed"]);

        // The bytes that were taken say nothing new, and nothing is wrong any more.
        await File.WriteAllBytesAsync(folder.PathOf("seg-1.sealed"), first.Content);
        await File.WriteAllBytesAsync(folder.PathOf("seg-2.sealed"), second.Content);
        await leader.CheckSaysAsync("ingest", "healthy");
        (await WatchFolder.AddedAsync(cluster)).Count.ShouldBe(2);
    }

    [Thorough]
    [Fact]
    public async Task Nothing_half_is_published_of_a_file_that_is_written_with_pauses()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings(quietFor: "00:00:02"));
        var content = PlainFile.RandomBytes(200_000);
        await using (var writer = File.Create(folder.PathOf("slow.sealed")))
        {
            foreach (var piece in content.Chunk(20_000))
            {
                await writer.WriteAsync(piece);
                await writer.FlushAsync();
                var other = folder.Drop($"{writer.Position:000000}.sealed");
                await TestCluster.StoredAsync(leader, other.Key);
            }
        }

        await WatchFolder.IngestedAsync(leader, 11);
        await TestCluster.StoredAsync(leader, WatchFolder.FileOf("slow.sealed", content).Key);
        (await WatchFolder.AddedAsync(cluster)).Count(location => location == "log/slow.sealed").ShouldBe(1);
    }

    [Thorough]
    [Fact]
    public async Task Links_folders_and_empty_files_are_named_and_hold_up_nothing()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        Directory.CreateDirectory(folder.PathOf("a-folder.sealed"));
        File.CreateSymbolicLink(folder.PathOf("b-link.sealed"), folder.PathOf("e-file.sealed"));
        await File.WriteAllBytesAsync(folder.PathOf("c-empty.sealed"), []);
        (await RealClient.RunAsync(folder.Path, "mkfifo d-pipe.sealed")).ExitCode.ShouldBe(0);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings(quietFor: "00:00:00.5"));
        var file = folder.Drop("e-file.sealed");
        await TestCluster.StoredAsync(leader, file.Key);

        await WatchFolder.RefusedAsync(leader, "a-folder.sealed", "it is a folder");
        await WatchFolder.RefusedAsync(leader, "b-link.sealed", "it is a symbolic link");
        await WatchFolder.RefusedAsync(leader, "c-empty.sealed", "it is empty");
        var empty = (await WatchFolder.OfAsync(leader, "c-empty.sealed"))!.Value;
        empty.GetProperty("size").GetInt64().ShouldBe(0);
        empty.GetProperty("ingestedAt").GetString().ShouldNotBeNull();
        (await WatchFolder.AddedAsync(cluster)).ShouldBe(["log/e-file.sealed"]);

        // Nothing was published of an empty one, so what is written to it later is its first content.
        await File.WriteAllBytesAsync(folder.PathOf("c-empty.sealed"), file.Content);
        await TestCluster.StoredAsync(leader, WatchFolder.FileOf("c-empty.sealed", file.Content).Key);
        Directory.Delete(folder.PathOf("a-folder.sealed"));
        File.Delete(folder.PathOf("b-link.sealed"));
        await Eventually.HoldsAsync(
            async () => (await WatchFolder.StatusAsync(leader)).GetProperty("refused").GetInt64() == 0,
            "what is gone is forgotten"
        );
    }

    [Thorough]
    [Fact]
    public async Task A_folder_that_goes_and_comes_again_is_watched_again()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings());
        folder.Drop("seg-1.sealed");
        await WatchFolder.IngestedAsync(leader, 1);

        Directory.Delete(folder.Path, recursive: true);
        await leader.CheckSaysAsync("ingest", "degraded", "cannot be taken");
        Directory.CreateDirectory(folder.Path);
        await leader.CheckSaysAsync("ingest", "healthy");
        var second = folder.Drop("seg-2.sealed");
        await TestCluster.StoredAsync(leader, second.Key);
    }

    [Thorough]
    [Fact]
    public async Task What_was_renamed_in_just_before_a_stop_is_taken_before_the_node_leaves()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings(quietFor: "00:00:02"));
        await Eventually.HoldsAsync(
            async () => (await WatchFolder.StatusAsync(leader)).GetProperty("listedAt").GetString() is not null,
            "the folder was listed"
        );
        var files = Enumerable.Range(1, 10).Select(i => folder.Drop($"seg-{i:00}.sealed", 100_000)).ToList();
        (await leader.StopAsync()).ShouldBe(0);

        (await WatchFolder.AddedAsync(cluster)).ShouldBe(Enumerable.Range(1, 10).Select(i => $"log/seg-{i:00}.sealed"));
        leader.Log.ShouldNotContain("was not done");
        files.Count.ShouldBe(10);
    }
}
