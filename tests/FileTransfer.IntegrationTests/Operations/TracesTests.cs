using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>A replication is one trace, from the caller's request to the last node's publication; and what nobody listens to is not told.</summary>
public sealed class TracesTests
{
    private const string Caller = "00f067aa0ba902b7";
    private const string Forwards = "FileTransfer__ForwardWrites";
    private const string Format = "FileTransfer__LogFormat";

    [Theory]
    [InlineData(20_000)]
    [InlineData(9_000_000, Traits = ["Run", "Thorough"])]
    public async Task A_put_is_one_trace_of_its_caller_at_every_node_and_on_the_lines_of_their_logs(int size)
    {
        await using var collector = await FakeCollector.StartAsync();
        await using var cluster = await TestCluster.CreateAsync();
        (string, string)[] settings = [.. collector.Settings, (Format, "json"), (Forwards, "true")];
        var leader = await cluster.StartLeaderAsync("a", settings);
        var follower = await cluster.StartFollowerAsync("b", settings);
        var other = await cluster.StartFollowerAsync("c", settings);
        var trace = NewTrace();

        // Not at the leader: the node passes it on.
        var key = await PutAsync(follower, size, trace);
        await TestCluster.StoredAsync(follower, key);
        await TestCluster.StoredAsync(other, key);

        string[] wanted =
        [
            "b:Microsoft.AspNetCore",
            "b:System.Net.Http",
            "a:Microsoft.AspNetCore",
            "a:receive",
            "a:publish upload",
            "a:append",
            "a:Npgsql",
            .. ((string[])["b", "c"]).SelectMany(node =>
                ((string[])["download", "claim", "fetch", "publish", "Npgsql"]).Select(part => $"{node}:{part}")
            ),
        ];
        await IsWholeAsync(collector, trace, wanted);
        await leader.SaysAsync($"\"@tr\":\"{trace}\"");
        foreach (var node in (NodeProcess[])[follower, other])
        {
            await Eventually.HoldsAsync(
                () => Task.FromResult(Array.Exists(node.Log.Split('\n'), line => Says(line, trace) && Says(line, "Stored 0x"))),
                $"{node.Id} says with the trace's id that the file is stored"
            );
        }
    }

    [Thorough]
    [Theory]
    [InlineData(false, 9_000_000)]
    [InlineData(true, 9_000_000)]
    [InlineData(true, 20_000)]
    public async Task What_another_cluster_pulls_or_has_shipped_is_a_part_of_the_same_trace(bool isShipped, int size)
    {
        await using var collector = await FakeCollector.StartAsync();
        await using var clusters = new TwoClusters();
        var upper = await StartAsync("upper", [("FileTransfer__ClusterId", "up")]);
        (string, string)[] following = isShipped
            ? [("FileTransfer__Sync__AcceptFrom__0", "up")]
            : TwoClusters.PullingFrom(("up", upper.Url));
        var lower = await StartAsync("lower", [("FileTransfer__ClusterId", "down"), .. following]);
        if (isShipped)
        {
            await upper.ShipToAsync("down", lower.Url);
            await upper.FollowerIsAsync("down", "inStep");
        }

        var trace = NewTrace();
        await TestCluster.StoredAsync(lower, await PutAsync(upper, size, trace));

        string[] wanted =
        [
            "upper:append",
            "lower:append",
            .. isShipped ? ["upper:ship", "upper:System.Net.Http", "lower:Microsoft.AspNetCore"] : Array.Empty<string>(),
            .. size > 64 * 1024 ? ["lower:download", "lower:fetch", "lower:System.Net.Http"] : Array.Empty<string>(),
        ];
        await IsWholeAsync(collector, trace, wanted);

        async Task<NodeProcess> StartAsync(string node, (string, string)[] settings) =>
            await (await clusters.CreateAsync()).StartLeaderAsync(node, [.. collector.Settings, .. settings]);
    }

    [Thorough]
    [Fact]
    public async Task A_node_that_rests_begins_no_trace()
    {
        await using var collector = await FakeCollector.StartAsync();
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a", collector.Settings);
        var follower = await cluster.StartFollowerAsync("b", collector.Settings);
        await TestCluster.StoredAsync(follower, await PutAsync(leader, 20_000, NewTrace()));

        await Eventually.HoldsAsync(
            async () =>
            {
                var (before, from) = (collector.Spans.Count, await SeenAtAsync());
                await Eventually.HoldsAsync(
                    async () => await SeenAtAsync() - from > TimeSpan.FromSeconds(4),
                    "both nodes were heard of again and again"
                );
                return before > 0 && collector.Spans.Count == before;
            },
            "nothing is told of nodes that are in step"
        );

        Task<DateTime> SeenAtAsync() => cluster.Database.ScalarAsync<DateTime>("SELECT min(seen_at) FROM filetransfer.nodes");
    }

    [Thorough]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_a_collector_or_a_sample_nothing_is_told_or_written_and_the_log_has_the_trace(bool hasCollector)
    {
        await using var collector = await FakeCollector.StartAsync();
        await using var cluster = await TestCluster.CreateAsync();
        (string, string)[] settings = hasCollector ? [.. collector.Settings, ("OTEL_TRACES_SAMPLER", "always_off")] : [];
        var leader = await cluster.StartLeaderAsync("a", [(Format, "json"), .. settings]);
        var follower = await cluster.StartFollowerAsync("b", settings);
        var trace = NewTrace();

        await TestCluster.StoredAsync(follower, await PutAsync(leader, 20_000, trace));
        await leader.SaysAsync($"\"@tr\":\"{trace}\"");

        (await leader.StopAsync()).ShouldBe(0);
        collector.Spans.ShouldBeEmpty();
        (await cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.file_traces")).ShouldBe(0);
    }

    private static Task IsWholeAsync(FakeCollector collector, string trace, string[] wanted) =>
        Eventually.HoldsAsync(
            () =>
            {
                var spans = collector.Spans.Where(span => span.Trace == trace).ToList();
                var ids = spans.Select(span => span.Id).Append(Caller).ToHashSet();
                return Task.FromResult(
                    spans.TrueForAll(span => ids.Contains(span.Parent))
                        && wanted.All(part => spans.Exists(span => part == $"{span.Node}:{PartOf(span)}"))
                );
            },
            "the trace is whole: " + string.Join(", ", wanted)
        );

    /// <summary>What a part is called that is ours, and where else one comes from.</summary>
    private static string PartOf(CollectedSpan span) =>
        span.Scope.StartsWith("FileTransfer.", StringComparison.Ordinal) ? span.Name : span.Scope;

    private static bool Says(string line, string text) => line.Contains(text, StringComparison.Ordinal);

    private static string NewTrace() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    private static async Task<string> PutAsync(NodeProcess node, int size, string trace)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/files?owner=0x01&bucket=0x02&location=traced")
        {
            Content = new ByteArrayContent(RandomNumberGenerator.GetBytes(size)),
        };
        request.Headers.Add("traceparent", $"00-{trace}-{Caller}-01");
        using var answer = await node.Http.SendAsync(request);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!;
    }
}
