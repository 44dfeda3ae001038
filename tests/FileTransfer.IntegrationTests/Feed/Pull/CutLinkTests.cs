using System.Net;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>Clusters in a chain, and two that pull from each other, whose links are cut while their files come and go.</summary>
public sealed class CutLinkTests
{
    [Thorough]
    [Fact]
    public async Task In_a_chain_whose_first_link_is_cut_while_files_come_and_go_the_last_ends_with_what_the_first_has_and_contents_cross_once()
    {
        await using var clusters = new TwoClusters();
        await using var first = await ContentLink.StartAsync();
        await using var second = await ContentLink.StartAsync();
        var one = await StartAsync(clusters, "one", first);
        var two = await StartAsync(clusters, "two", second, ("one", first.Address));
        var three = await StartAsync(clusters, "three", null, ("two", second.Address));
        var (there, gone, readded) = (new List<PlainFile>(), new List<PlainFile>(), new List<string>());
        for (var cut = 0; cut < 2; cut++)
        {
            var before = await StoreAsync(one, 6);
            there.AddRange([.. before, .. await StoreAsync(two, 2)]);
            foreach (var file in there)
            {
                await TestCluster.StoredAsync(three, file.Key);
            }

            // The link is cut while a content is under way.
            first.Delay = TimeSpan.FromMilliseconds(30);
            var large = PlainFile.Random(2_000_000);
            await one.StoreAsync(large);
            await Eventually.HoldsAsync(
                async () => await two.StateOfAsync(large.Key) == "downloading",
                "the large one is under way"
            );
            first.Cut();
            first.Delay = TimeSpan.Zero;
            var (added, passing) = (await StoreAsync(one, 4), (await StoreAsync(one, 1))[0]);
            await RemoveAsync(one, [before[0], before[1], before[2], passing]);
            await one.StoreAsync(before[2]);
            readded.Add(before[2].Key);

            // The next one goes on meanwhile.
            var beside = await StoreAsync(two, 1);
            await TestCluster.StoredAsync(three, beside[0].Key);
            (await three.StateOfAsync(added[0].Key)).ShouldBeNull();
            await before[0].ShouldBeStoredAsync(three);
            first.Mend();
            there.RemoveAll(file => file == before[0] || file == before[1]);
            there.AddRange([large, .. added, .. beside]);
            gone.AddRange([before[0], before[1]]);
        }

        foreach (var file in there)
        {
            await TestCluster.StoredAsync(three, file.Key);
            await file.ShouldBeStoredAsync(three);
        }

        await two.InStepWithAsync("one");
        await three.InStepWithAsync("two", there.Count, kept: 0);
        await VerifiedAsync(two, three);
        foreach (var file in gone)
        {
            await three.RemovedAsync(file.Key);
        }

        CrossedOnce([first, second], there, readded);
    }

    [Thorough]
    [Fact]
    public async Task Two_that_pull_from_each_other_and_both_change_while_their_links_are_cut_end_with_the_same_files_and_nothing_goes_round()
    {
        await using var clusters = new TwoClusters();
        await using var toOne = await ContentLink.StartAsync();
        await using var toTwo = await ContentLink.StartAsync();
        var one = await StartAsync(clusters, "one", toOne, ("two", toTwo.Address));
        var ones = clusters.Last;
        var two = await StartAsync(clusters, "two", toTwo, ("one", toOne.Address));
        var twos = clusters.Last;
        var (removed, claimed, readded, shared) = (
            PlainFile.Random(3000),
            PlainFile.Random(3100),
            PlainFile.Random(3200),
            PlainFile.Random(3300)
        );
        foreach (var file in (PlainFile[])[removed, claimed, readded, shared])
        {
            await one.StoreAsync(file);
            await TestCluster.StoredAsync(two, file.Key);
        }

        await UploadAsync(two, shared);
        await one.SealedAsync("two", two);
        foreach (var link in (ContentLink[])[toOne, toTwo])
        {
            link.Cut();
        }

        var (new1, new2, same) = (await StoreAsync(one, 10), await StoreAsync(two, 10), PlainFile.Random(3400));
        await one.StoreAsync(same);
        await two.StoreAsync(same);
        await RemoveAsync(one, [removed, claimed, readded]);
        await one.StoreAsync(readded);
        await UploadAsync(two, claimed);
        foreach (var node in (NodeProcess[])[one, two])
        {
            // Each goes on having it for the other, which it cannot ask.
            (await node.DeleteAsync(shared.Key)).ShouldBe(HttpStatusCode.OK);
        }

        (await two.DeleteAsync(removed.Key)).ShouldBe(HttpStatusCode.Conflict);
        foreach (var link in (ContentLink[])[toOne, toTwo])
        {
            link.Mend();
        }

        foreach (var node in (NodeProcess[])[one, two])
        {
            foreach (var file in (PlainFile[])[.. new1, .. new2, same, claimed, readded])
            {
                await TestCluster.StoredAsync(node, file.Key);
                await file.ShouldBeStoredAsync(node);
            }

            await node.RemovedAsync(removed.Key);
            await node.RemovedAsync(shared.Key);
        }

        await InStepAsync(one, two);
        await VerifiedAsync(one, two);

        // What one of them adds from now on is one more mutation of each feed, and nothing else is.
        var before = (await MutationsAsync(ones), await MutationsAsync(twos));
        foreach (var (from, to) in (((NodeProcess, NodeProcess)[])[(one, two), (two, one)]))
        {
            await TestCluster.StoredAsync(to, (await StoreAsync(from, 1))[0].Key);
            await InStepAsync(one, two);
        }

        (await MutationsAsync(ones), await MutationsAsync(twos)).ShouldBe((before.Item1 + 2, before.Item2 + 2));
        CrossedOnce([toOne, toTwo], [.. new1, .. new2, same, claimed, readded], []);
    }

    /// <summary>A cluster of one node of its name, which others reach by a link.</summary>
    private static async Task<NodeProcess> StartAsync(
        TwoClusters clusters,
        string name,
        ContentLink? link,
        params (string Name, Uri Url)[] upstreams
    )
    {
        var cluster = await clusters.CreateAsync();
        (string, string)[] settings = [("FileTransfer__ClusterId", name), .. TwoClusters.PullingFrom(upstreams)];
        if (link is null)
        {
            return await cluster.StartLeaderAsync(name, settings);
        }

        var node = await cluster.StartLeaderAsync(name, [.. settings, ("FileTransfer__AdvertisedUrl", $"{link.Address}")]);
        link.LeadTo(node.Url);
        return node;
    }

    private static async Task<IReadOnlyList<PlainFile>> StoreAsync(NodeProcess node, int count)
    {
        var files = Enumerable.Range(0, count).Select(i => PlainFile.Random(1500 + (i * 9000))).ToList();
        foreach (var file in files)
        {
            await node.StoreAsync(file);
        }

        return files;
    }

    private static async Task UploadAsync(NodeProcess node, PlainFile file)
    {
        using var answer = await node.UploadAsync(file.Key, file.Framed);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task RemoveAsync(NodeProcess node, IEnumerable<PlainFile> files)
    {
        foreach (var file in files)
        {
            (await node.DeleteAsync(file.Key)).ShouldBe(HttpStatusCode.NoContent);
        }
    }

    private static async Task VerifiedAsync(NodeProcess one, NodeProcess other)
    {
        var (code, said) = await TestedProgram.RunAsync("verify", $"{one.Url}", $"{other.Url}");
        code.ShouldBe(0, said);
    }

    private static Task<long> MutationsAsync(TestCluster cluster) =>
        cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.mutations");

    /// <param name="again">Keys of files that were removed and added again.</param>
    private static void CrossedOnce(IEnumerable<ContentLink> links, IEnumerable<PlainFile> files, IEnumerable<string> again)
    {
        var sizes = files.ToDictionary(file => file.Key, file => file.Content.Length);
        var all = links.SelectMany(link => link.Sent).ToList();
        List<string> twice =
        [
            .. all.GroupBy(sent => (sent.To, sent.Key))
                .Where(sent => sent.Count() > (again.Contains(sent.Key.Key) ? 2 : 1))
                .Select(sent =>
                    $"{sent.Key} of {sizes.GetValueOrDefault(sent.Key.Key)} bytes: {string.Join(", ", sent.Select(one => $"{one.Asked:mm:ss.fff}-{one.At:mm:ss.fff}"))}"
                ),
        ];
        // Where a machine does other things as well, a node's patience with another that is at work may end before the content comes.
        twice.Count.ShouldBeLessThanOrEqualTo(Showing.Of(small: all.Count / 20, full: 0), string.Join('\n', twice));
    }

    private static async Task InStepAsync(NodeProcess one, NodeProcess two)
    {
        await one.SealedAsync("two", two);
        await two.SealedAsync("one", one);
        await one.InStepWithAsync("two");
        await two.InStepWithAsync("one");
    }
}
