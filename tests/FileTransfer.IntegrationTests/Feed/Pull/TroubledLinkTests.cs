using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>Two clusters of two nodes each, whose link is cut and slowed and whose nodes are killed while the upstream's files change at random.</summary>
public sealed class TroubledLinkTests(ITestOutputHelper output)
{
    /// <summary>What was sent so shortly before a kill or a cut may not have been durable, on a machine that does other things as well.</summary>
    private static readonly TimeSpan _underWay = Showing.Of(small: TimeSpan.FromSeconds(8), full: TimeSpan.FromSeconds(3));

    [Thorough]
    [Fact]
    public async Task Clusters_end_in_step_and_contents_are_sent_once_however_often_link_and_nodes_fail_meanwhile()
    {
        var (mutations, files) = Showing.Of((600, 200), (20_000, 5_000));
        var random = new Random(Environment.TickCount);
        await using var scene = await TroubledLink.StartAsync();
        using var done = new CancellationTokenSource();
        var trouble = scene.TroubleAsync(random, done.Token);
        var mutating = new RandomMutations(scene, files);
        await mutating.RunAsync(mutations);
        await done.CancelAsync();
        await trouble;

        await scene.InStepAsync();
        foreach (var down in scene.Downs)
        {
            await Eventually.HoldsAsync(
                async () => (await scene.VerifyAsync(down)).Code == 0,
                $"{down.Id} has just what the upstream has",
                TimeSpan.FromMinutes(2)
            );
        }

        var there = mutating.There;
        (await scene.Up.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.files WHERE state = 'added'")).ShouldBe(
            there
        );
        await scene.HasNoGapAsync();
        Report(scene, mutating);
    }

    /// <summary>
    /// A content is sent to a node once for each time its file was added; again only where a kill or a cut came soon after, or where another
    /// node was asked as well because the first was slow.
    /// </summary>
    private void Report(TroubledLink scene, RandomMutations mutating)
    {
        var (sent, again, hedged, unexcused) = (0, 0, 0, new List<string>());
        foreach (
            var content in scene.Sent().Where(one => one.Content.To[0] == 'd').GroupBy(one => (one.Content.To, one.Content.Key))
        )
        {
            var adds = mutating.AddsOf(content.Key.Key);
            var interrupted = content.Count(one => scene.WasUnderWay(one.Content, one.From, _underWay));
            var twice = content.Count(one => content.Any(other => IsAskedBeside(other, one)));
            sent += content.Count();
            hedged += twice;
            again += Math.Max(0, content.Count() - adds);
            if (content.Count() > adds + interrupted + twice)
            {
                var times = string.Join(
                    ", ",
                    content.Select(one => $"{one.From} {one.Content.Asked:mm:ss.fff}-{one.Content.At:mm:ss.fff}")
                );
                unexcused.Add(
                    $"{content.Key.Key} to {content.Key.To}: {content.Count()} times, added {adds} times ({times}; {scene.TroublesAround(content.Max(one => one.Content.At))}); {scene.LogOf(content.Key.To, content.Key.Key)}"
                );
            }
        }

        output.WriteLine(
            $"{mutating.Done} mutations, {scene.Troubles} kills and cuts, {sent} contents sent, {again} of them again, {hedged} beside a slow node, {unexcused.Count} without a kill or a cut soon after"
        );
        // Where a machine does other things as well, a node's patience with another that is at work may end before the content comes.
        var bound = Showing.Of(small: sent / 20, full: 0);
        Showing.Tell("contents sent again, beyond what was under way at a kill or a cut", unexcused.Count, bound, "contents");
        unexcused.Count.ShouldBeLessThanOrEqualTo(bound, string.Join('\n', unexcused));

        static bool IsAskedBeside((SentContent Content, string From) slow, (SentContent Content, string From) other) =>
            slow.From != other.From && slow.Content.Asked < other.Content.Asked && other.Content.Asked < slow.Content.At;
    }
}
