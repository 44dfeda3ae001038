using System.Globalization;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Uploads.Ingest;

/// <summary>What a watching node cannot hear of, or may not read.</summary>
public sealed class IngestHindranceTests
{
    [Thorough]
    [Fact]
    public async Task What_the_system_tells_no_more_because_its_queue_is_full_is_named_and_found_by_a_listing()
    {
        const string limit = "/proc/sys/fs/inotify/max_queued_events";
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings(quietFor: "00:00:01"));
        folder.Drop("seg-1.sealed");
        await WatchFolder.IngestedAsync(leader, 1);

        // While the node stands still, nobody reads what the system tells of the folder.
        leader.Signal(19);
        var (one, other) = (folder.PathOf("one.open"), folder.PathOf("other.open"));
        await File.WriteAllTextAsync(one, "of another pattern");

        // Twice as much as there is room for: some may have been heard before it stood still.
        for (var left = 2 * int.Parse(await File.ReadAllTextAsync(limit), CultureInfo.InvariantCulture); left > 0; left -= 2)
        {
            File.Move(one, other);
            File.Move(other, one);
        }

        var files = Enumerable.Range(2, 20).Select(i => folder.Drop($"seg-{i}.sealed")).ToList();
        leader.Signal(18);

        await leader.SaysAsync("More happened in the watched folder wal");
        foreach (var file in files)
        {
            await TestCluster.StoredAsync(leader, file.Key);
        }

        // From then on it tells again.
        var last = folder.Drop("seg-30.sealed");
        await TestCluster.StoredAsync(leader, last.Key);
        await WatchFolder.IngestedAsync(leader, 22);
        (await WatchFolder.AddedAsync(cluster)).Distinct().Count().ShouldBe(22);
        await leader.CheckSaysAsync("ingest", "healthy");
    }

    [Thorough]
    [Fact]
    public async Task A_file_that_may_not_be_read_is_named_holds_up_nothing_and_is_taken_as_soon_as_it_may()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        await using var wire = new DatabaseWire(cluster.ConnectionString);
        cluster.RunWithoutPrivileges(wire.ConnectionString);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings());
        await Eventually.HoldsAsync(
            async () => (await WatchFolder.StatusAsync(leader)).GetProperty("listedAt").GetString() is not null,
            "the folder was listed"
        );
        var before = folder.Drop("seg-1.sealed");
        var (small, large) = (
            folder.Drop("seg-2.sealed", mode: UnixFileMode.None),
            folder.Drop("seg-3.sealed", 300_000, UnixFileMode.None)
        );
        var after = folder.Drop("seg-4.sealed");
        await TestCluster.StoredAsync(leader, before.Key);
        await TestCluster.StoredAsync(leader, after.Key);
        foreach (var name in (string[])["seg-2.sealed", "seg-3.sealed"])
        {
            await WatchFolder.RefusedAsync(leader, name, "it cannot be read");
        }

        await leader.SaysAsync("seg-3.sealed in the watched folder wal is not ingested: it cannot be read");

        // Renamed in, they are complete: nothing is quiet for an hour.
        foreach (var name in (string[])["seg-2.sealed", "seg-3.sealed"])
        {
            File.SetUnixFileMode(folder.PathOf(name), UnixFileMode.UserRead);
        }

        await TestCluster.StoredAsync(leader, small.Key);
        await TestCluster.StoredAsync(leader, large.Key);
        await WatchFolder.IngestedAsync(leader, 4);
        await leader.CheckSaysAsync("ingest", "healthy");
    }

    [Thorough]
    [Fact]
    public async Task A_folder_that_may_not_be_listed_is_named_and_taken_once_it_may()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        await using var wire = new DatabaseWire(cluster.ConnectionString);
        cluster.RunWithoutPrivileges(wire.ConnectionString);
        File.SetUnixFileMode(folder.Path, UnixFileMode.None);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings(quietFor: "00:00:00.5"));
        await leader.CheckSaysAsync("ingest", "degraded", "cannot be taken");

        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var file = folder.Drop("seg-1.sealed");
        await TestCluster.StoredAsync(leader, file.Key);
        await leader.CheckSaysAsync("ingest", "healthy");
    }
}
