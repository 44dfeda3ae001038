using System.Net;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>Only a Remove in an unbroken history ends what an upstream claims; of all else an operator decides.</summary>
public sealed class UpstreamHistoryTests
{
    [Thorough]
    [Fact]
    public async Task What_an_upstream_restored_from_a_backup_has_no_more_is_kept_until_it_is_accepted_or_made_the_clusters_own()
    {
        await using var clusters = new TwoClusters();
        var place = TwoClusters.PlaceOfOwn();
        var cluster = await clusters.CreateAsync();
        var up = await TwoClusters.StartIn(cluster, "up", place.Setting);
        var before = Enumerable.Range(0, 3).Select(i => PlainFile.Random(1000 + i)).ToList();
        foreach (var file in before)
        {
            await up.StoreAsync(file);
        }

        var down = await clusters.StartAsync("down", TwoClusters.PullingFrom(("up", place.Url)));
        await down.InStepWithAsync("up", files: 3, kept: 0);
        await up.StopAsync();
        await using var backup = await PostgresCluster.CreateCopyAsync(cluster.Database);

        up = await TwoClusters.StartIn(cluster, "up", place.Setting);
        var after = Enumerable.Range(0, 2).Select(i => PlainFile.Random(2000 + i)).ToList();
        foreach (var file in after)
        {
            await up.StoreAsync(file);
        }

        (await up.DeleteAsync(before[0].Key)).ShouldBe(HttpStatusCode.NoContent);
        foreach (var file in after)
        {
            await TestCluster.StoredAsync(down, file.Key);
        }

        await down.RemovedAsync(before[0].Key);
        await down.InStepWithAsync("up", files: 4, kept: 0);
        var history = (await down.UpstreamAsync("up")).GetProperty("epoch").GetGuid();
        var attempts = await AttemptsAsync(clusters, before[1]);
        await up.StopAsync();

        // The backup is another history; its nodes have to be told to go on with it.
        cluster.ConnectionString = backup.ConnectionString;
        up = await TwoClusters.StartIn(cluster, "up", place.Setting, ("FileTransfer__AdoptCatalog", "true"));
        await down.InStepWithAsync("up", files: 3, kept: 2);
        (await down.UpstreamAsync("up")).GetProperty("epoch").GetGuid().ShouldNotBe(history);
        await down.CheckSaysAsync("upstreams", "degraded", "'filetransfer sync kept up'");
        (await down.KeptAsync("up")).ShouldBe(after.Select(file => file.Key).Order(StringComparer.Ordinal));
        foreach (var file in after.Concat(before[1..]))
        {
            await file.ShouldBeStoredAsync(down);
        }

        (await AttemptsAsync(clusters, before[1])).ShouldBe(attempts, "what is held is not fetched again");

        // The cluster's own claim holds one of them; the other goes.
        (await down.UploadAsync(after[0].Key, after[0].Framed)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var accepted = await down.AskAboutAsync("up", "accept");
        (accepted.GetProperty("files").GetInt32(), accepted.GetProperty("removed").GetInt32()).ShouldBe((2, 1));
        await down.RemovedAsync(after[1].Key);
        await after[0].ShouldBeStoredAsync(down);
        (await down.KeptAsync("up")).ShouldBeEmpty();
        await down.CheckSaysAsync("upstreams", "healthy");
        down.Log.ShouldContain(
            "127.0.0.1 decided for the files that upstream up does not have any more: Accept; 2 files, 1 of them removed"
        );
    }

    [Thorough]
    [Fact]
    public async Task An_upstream_that_went_back_and_on_while_nobody_looked_is_found_out_by_its_digest()
    {
        await using var clusters = new TwoClusters();
        var place = TwoClusters.PlaceOfOwn();
        var cluster = await clusters.CreateAsync();
        var up = await TwoClusters.StartIn(cluster, "up", place.Setting);
        var old = PlainFile.Random(1000);
        var bin = UpstreamFacts.BinOf(old);
        await up.StoreAsync(old);
        await up.StopAsync();
        await using var backup = await PostgresCluster.CreateCopyAsync(cluster.Database);
        var backupOfFolder = Path.Combine(cluster.Folder, "backup");
        FolderCopy.Make(cluster.FolderOf("a"), backupOfFolder);

        up = await TwoClusters.StartIn(cluster, "up", place.Setting);
        var lost = InBin(bin);
        await up.StoreAsync(lost);
        var downCluster = await clusters.CreateAsync();
        var down = await TwoClusters.StartIn(downCluster, "down", TwoClusters.PullingFrom(("up", place.Url)));
        await TestCluster.StoredAsync(down, lost.Key);
        await down.InStepWithAsync("up", files: 2, kept: 0);
        await down.StopAsync();
        await up.StopAsync();

        // Database and folder are restored together: the same history as far as anybody there knows, and then it takes another way.
        cluster.ConnectionString = backup.ConnectionString;
        Directory.Delete(cluster.FolderOf("a"), recursive: true);
        Directory.Move(backupOfFolder, cluster.FolderOf("a"));
        up = await TwoClusters.StartIn(cluster, "up", place.Setting);
        var (other, next) = (InBin(bin), InBin(bin));
        await up.StoreAsync(other);
        await up.StoreAsync(next);
        down = await TwoClusters.StartIn(downCluster, "down", TwoClusters.PullingFrom(("up", place.Url)));

        await TestCluster.StoredAsync(down, next.Key);
        await TestCluster.StoredAsync(down, other.Key);
        await down.InStepWithAsync("up", files: 3, kept: 1);
        (await down.KeptAsync("up")).ShouldBe([lost.Key]);
        await lost.ShouldBeStoredAsync(down);
        var found = (await down.UpstreamAsync("up")).GetProperty("found");
        (found.GetProperty("missing").GetInt32(), found.GetProperty("extra").GetInt32()).ShouldBe((1, 1));
        found.GetProperty("keys").EnumerateArray().Select(key => key.GetString()).ShouldBe([other.Key]);
        (await down.Http.GetStringAsync("/metrics")).ShouldMatch(@"filetransfer_sync_digest_mismatches_total(\{[^}]*\})? 1\b");

        // Made the cluster's own, it is a file like any other.
        (await down.AskAboutAsync("up", "keep"))
            .GetProperty("files")
            .GetInt32()
            .ShouldBe(1);
        await down.CheckSaysAsync("upstreams", "healthy");
        (await down.DeleteAsync(lost.Key)).ShouldBe(HttpStatusCode.NoContent);
        await down.RemovedAsync(lost.Key);
    }

    [Thorough]
    [Fact]
    public async Task Clusters_of_one_id_refuse_each_other_and_an_upstream_of_the_id_of_another_is_refused()
    {
        await using var clusters = new TwoClusters();
        var (placeOfOne, placeOfTwo) = (TwoClusters.PlaceOfOwn(), TwoClusters.PlaceOfOwn());
        var one = await clusters.StartAsync("same", [placeOfOne.Setting, .. TwoClusters.PullingFrom(("two", placeOfTwo.Url))]);
        var two = await clusters.StartAsync("same", [placeOfTwo.Setting, .. TwoClusters.PullingFrom(("one", placeOfOne.Url))]);
        var file = PlainFile.Random(1000);
        await one.StoreAsync(file);
        var down = await clusters.StartAsync("down", TwoClusters.PullingFrom(("one", one.Url)));
        await TestCluster.StoredAsync(down, file.Key);
        await down.StopAsync();
        var both = await clusters.StartAsync("both", TwoClusters.PullingFrom(("one", one.Url), ("two", two.Url)));

        // Each is refused by the other, and would refuse it, too.
        await one.CheckSaysAsync("upstreams", "degraded", "it answered 409: This node is of a cluster 'same' too");
        await two.CheckSaysAsync("upstreams", "degraded", "it answered 409: This node is of a cluster 'same' too");
        await both.CheckSaysAsync("upstreams", "degraded", "it is of cluster 'same', and so is upstream");
        (await two.StateOfAsync(file.Key)).ShouldBeNull();
    }

    private static PlainFile InBin(int bin)
    {
        while (true)
        {
            if (PlainFile.Random(3000) is var file && UpstreamFacts.BinOf(file) == bin)
            {
                return file;
            }
        }
    }

    /// <summary>How often the content of a file was claimed to be downloaded by the last cluster that was started.</summary>
    private static Task<int> AttemptsAsync(TwoClusters clusters, PlainFile file) =>
        clusters.Last.Database.ScalarAsync<int>(
            $"SELECT epoch::integer FROM filetransfer.replicas WHERE file_key = '\\x{file.Key[2..]}'"
        );
}
