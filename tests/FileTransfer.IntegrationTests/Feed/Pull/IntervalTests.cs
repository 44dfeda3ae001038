using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>The newest of a feed is read beside its history, against an upstream that holds a page of that back.</summary>
public sealed class IntervalTests
{
    private const int Bin = 9;

    [Thorough]
    [Fact]
    public async Task A_new_file_is_there_while_a_long_history_of_its_bin_is_read_and_a_new_leader_asks_for_the_gap_alone()
    {
        await using var clusters = new TwoClusters();
        await using var fake = await FakeUpstream.StartAsync();
        var (old, overtaken, again, live) = (Next(), Next(), Next(), Next());
        for (var i = 0; i < 150; i++)
        {
            fake.Add(old);
            fake.Remove(old);
        }

        fake.Add(overtaken);
        fake.Add(again);
        fake.Remove(again);
        for (var i = 0; i < 150; i++)
        {
            fake.Add(old);
            fake.Remove(old);
        }

        // The history is of 603; behind 250 nothing comes until it is let go.
        var letGo = new TaskCompletionSource();
        fake.Answer = async (asked, context) =>
        {
            if (asked.From is > 250 and <= 603)
            {
                await letGo.Task.WaitAsync(context.RequestAborted);
            }

            return null;
        };
        var down = await clusters.CreateAsync();
        var settings = TwoClusters.PullingFrom(("up", fake.Url));
        var leader = await TwoClusters.StartIn(down, "down", settings);
        var other = await down.StartAsync("b", [("FileTransfer__ClusterId", "down"), .. settings]);
        await Eventually.HoldsAsync(() => Task.FromResult(fake.Asked.Any(asked => asked.From == 251)), "the rest is asked for");

        fake.Add(live);
        fake.Remove(overtaken);
        fake.Add(again);

        await leader.FileStateIsAsync(live.Key, "added");
        await leader.FileStateIsAsync(again.Key, "added");
        await BinIsAsync(leader, position => position is (250, 603, 353));
        (await RemovalsAsync(down)).ShouldBe(1);

        await leader.KillAsync();
        var askedBefore = fake.Asked.Count(asked => asked.From == 251);
        await Eventually.HoldsAsync(
            () => Task.FromResult(fake.Asked.Count(asked => asked.From == 251) > askedBefore),
            "the next leader goes on at the gap"
        );
        letGo.SetResult();
        await BinIsAsync(other, position => position is (606, null, 0));
        await InStepAsync(other);
        await other.FileStateIsAsync(live.Key, "added");
        await other.FileStateIsAsync(again.Key, "added");
        (await other.StateOfAsync(overtaken.Key)).ShouldBeOneOf("absent", null);
        (await RemovalsAsync(down)).ShouldBe(0);
        fake.Asked.Count(asked => asked.From == 1).ShouldBe(1);
        fake.Asked.Where(asked => asked.From > 603).Select(asked => asked.From).ShouldBeUnique();
        fake.Asked.Where(asked => asked.From is > 250 and <= 603).ShouldAllBe(asked => asked.To == 603);
    }

    private static PlainFile Next() => FakeUpstream.FileIn(Bin);

    private static Task BinIsAsync(NodeProcess node, Func<(long Sealed, long? GapUntil, long? Behind), bool> isSo) =>
        Eventually.HoldsAsync(
            async () =>
            {
                var bins = (await UpstreamAsync(node)).GetProperty("bins");
                if (bins.GetArrayLength() == 0)
                {
                    return false;
                }

                var bin = bins[Bin];
                return isSo((bin.GetProperty("sealed").GetInt64(), NumberOf(bin, "gapUntil"), NumberOf(bin, "behind")));
            },
            "the bin is so"
        );

    private static Task InStepAsync(NodeProcess node) =>
        Eventually.HoldsAsync(async () => (await UpstreamAsync(node)).GetProperty("inStep").GetBoolean(), "it is in step");

    private static async Task<JsonElement> UpstreamAsync(NodeProcess node) =>
        (await node.GetJsonAsync("/v1/sync/status")).GetProperty("upstreams")[0];

    private static long? NumberOf(JsonElement bin, string name) =>
        bin.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetInt64() : null;

    private static Task<long> RemovalsAsync(TestCluster cluster) =>
        cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.upstream_removals");
}
