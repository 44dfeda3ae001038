using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>The feed over HTTP, read by a client that knows only the wire.</summary>
[Collection(SharedNodes.Name)]
public sealed class OfferedFeedTests(RunningCluster nodes)
{
    [Fact]
    public async Task A_page_has_each_mutation_with_its_place_and_an_add_with_metadata_whose_hash_is_its_key()
    {
        var file = PlainFile.Random(3000);
        var bin = BinOf(file);
        var before = await CursorAsync(nodes.Leader, bin);
        await nodes.Leader.StoreAsync(file);
        (await nodes.Leader.SendAsync(HttpMethod.Delete, $"/v1/files/{file.Key}")).EnsureSuccessStatusCode();

        // Any node answers.
        var page = await nodes.Follower.GetJsonAsync($"/v1/sync/bins/{bin}?from={before + 1}");

        var cursors = await nodes.Leader.GetJsonAsync("/v1/sync/cursors");
        page.GetProperty("epoch").GetGuid().ShouldBe(cursors.GetProperty("epoch").GetGuid());
        page.GetProperty("from").GetInt64().ShouldBe(before + 1);
        var mutations = page.GetProperty("mutations").EnumerateArray().ToList();
        page.GetProperty("topmost").GetInt64().ShouldBe(before + mutations.Count);
        page.GetProperty("digest").GetString().ShouldBe(cursors.GetProperty("bins")[bin].GetProperty("digest").GetString());
        mutations.Select(m => m.GetProperty("sequence").GetInt64()).ShouldBe(Sequence(before + 1, mutations.Count));
        var own = mutations.Where(m => m.GetProperty("key").GetString() == file.Key).ToList();
        own.Select(m => m.GetProperty("kind").GetString()).ShouldBe(["add", "remove"]);
        own[0].GetProperty("metadata").ToString().ShouldBe(WithNulls(file));
        own[1].TryGetProperty("metadata", out _).ShouldBeFalse();
        foreach (var mutation in own)
        {
            var origin = mutation.GetProperty("origin");
            origin.GetProperty("cluster").GetString().ShouldBe(cursors.GetProperty("cluster").GetString());
            origin.GetProperty("epoch").GetGuid().ShouldBe(cursors.GetProperty("epoch").GetGuid());
            origin.GetProperty("bin").GetInt32().ShouldBe(bin);
            origin.GetProperty("sequence").GetInt64().ShouldBe(mutation.GetProperty("sequence").GetInt64());
        }
    }

    [Fact]
    public async Task A_page_goes_as_far_as_it_is_asked_to()
    {
        var file = PlainFile.Random(100);
        var bin = BinOf(file);
        var before = await CursorAsync(nodes.Leader, bin);
        await nodes.Leader.StoreAsync(file);
        (await nodes.Leader.SendAsync(HttpMethod.Delete, $"/v1/files/{file.Key}")).EnsureSuccessStatusCode();

        foreach (var asked in (string[])["to=" + (before + 1), "limit=1"])
        {
            var page = await nodes.Leader.GetJsonAsync($"/v1/sync/bins/{bin}?from={before + 1}&{asked}");
            page.GetProperty("topmost").GetInt64().ShouldBe(before + 1);
            page.GetProperty("mutations").GetArrayLength().ShouldBe(1);
            page.TryGetProperty("digest", out _).ShouldBeFalse("the page does not go to the cursor");
        }
    }

    [Fact]
    public async Task Whoever_waits_at_a_bins_end_gets_its_next_mutation_and_whoever_knows_the_cursors_those_that_follow()
    {
        var file = PlainFile.Random(100);
        var bin = BinOf(file);
        var cursors = await CursorsAsync(nodes.Follower);
        var first = nodes.Follower.GetJsonAsync($"/v1/sync/bins/{bin}?from={cursors[bin] + 1}&wait=60s");
        var news = nodes.Leader.GetJsonAsync($"/v1/sync/cursors?after={string.Join(',', cursors)}&wait=60s");

        await nodes.Leader.StoreAsync(file);

        var page = await first.WaitAsync(TimeSpan.FromSeconds(20));
        page.GetProperty("topmost").GetInt64().ShouldBeGreaterThan(cursors[bin]);
        var bins = (await news.WaitAsync(TimeSpan.FromSeconds(20))).GetProperty("bins").EnumerateArray();
        bins.Select(one => one.GetProperty("cursor").GetInt64()).ShouldNotBe(cursors);
    }

    [Fact]
    public async Task Beyond_the_end_of_a_bin_nobody_waits()
    {
        var cursor = await CursorAsync(nodes.Leader, 3);

        var page = await nodes
            .Leader.GetJsonAsync($"/v1/sync/bins/3?from={cursor + 1000}&wait=60s")
            .WaitAsync(TimeSpan.FromSeconds(20));

        page.GetProperty("mutations").GetArrayLength().ShouldBe(0);
        page.GetProperty("topmost").GetInt64().ShouldBeInRange(cursor, cursor + 900);
    }

    [Fact]
    public async Task Ranges_of_keys_have_digests_that_are_others_when_a_file_comes_and_the_same_again_when_it_goes()
    {
        byte[] bucket = [0xd1, 0x6e];
        var file = PlainFile.Random(100, bucket);
        var path = $"/v1/sync/bins/{BinOf(file)}/digests?bucket={PlainFile.Hex(bucket)}";
        var empty = (await nodes.Leader.GetJsonAsync(path)).GetProperty("ranges").ToString();
        await nodes.Leader.StoreAsync(file);

        var range = (await nodes.Follower.GetJsonAsync(path)).GetProperty("ranges").EnumerateArray().ShouldHaveSingleItem();
        var prefix = range.GetProperty("prefix").GetString()!;
        prefix.ShouldBe(file.Key[2..5]);
        range.GetProperty("files").GetInt32().ShouldBe(1);
        var inner = (await nodes.Leader.GetJsonAsync($"{path}&prefix={prefix}")).GetProperty("ranges")[0];
        inner.GetProperty("prefix").GetString().ShouldBe(file.Key[2..7]);
        inner.GetProperty("digest").GetString().ShouldBe(range.GetProperty("digest").GetString(), "it has the same files");
        var files = await nodes.Leader.GetJsonAsync(
            $"/v1/sync/bins/{BinOf(file)}/files?prefix={prefix}&bucket={PlainFile.Hex(bucket)}"
        );
        files.GetProperty("files").EnumerateArray().Select(one => one.GetProperty("key").GetString()).ShouldBe([file.Key]);
        (await nodes.Leader.SendAsync(HttpMethod.Delete, $"/v1/files/{file.Key}")).EnsureSuccessStatusCode();
        (await nodes.Leader.GetJsonAsync(path)).GetProperty("ranges").ToString().ShouldBe(empty);
    }

    [Theory]
    [InlineData("bins/3/digests?prefix=4", "prefix=4")]
    [InlineData("bins/3/files?prefix=3g", "prefix=3g")]
    [InlineData("bins/3/digests?bucket=0xzz", "0xzz")]
    [InlineData("bins/16?from=1", "no bin 16")]
    [InlineData("bins/3", "from")]
    [InlineData("bins/3?from=0", "from=0")]
    [InlineData("bins/3?from=5&to=4", "to=4")]
    [InlineData("bins/3?from=1&limit=1001", "limit=1001")]
    [InlineData("bins/3?from=1&wait=61s", "wait=61s")]
    [InlineData("cursors?after=1,2,3", "after=1,2,3")]
    [InlineData("cursors?wait=soon", "wait=soon")]
    public async Task A_question_that_makes_no_sense_is_refused_by_name(string asked, string named)
    {
        using var answer = await nodes.Leader.Http.GetAsync($"/v1/sync/{asked}");

        await answer.ShouldBeProblemAsync(400, "bad-request", named);
    }

    [Fact]
    public async Task A_request_that_waits_is_ended_by_the_peer_that_named_it_and_by_no_other()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartAsync("a", [.. Tokens("one", "two")]);
        using var one = ClientOf(leader, "one");
        using var two = ClientOf(leader, "two");
        await Eventually.HoldsAsync(
            async () => (await one.GetAsync("/v1/sync/cursors")).IsSuccessStatusCode,
            "the node has its database"
        );
        one.DefaultRequestHeaders.Add("FileTransfer-Request-Id", "mine");
        var waiting = one.GetAsync("/v1/sync/bins/3?from=1&wait=60s");
        await Eventually.HoldsAsync(
            async () => (await two.DeleteAsync("/v1/sync/requests/mine")).StatusCode != HttpStatusCode.NotFound,
            "the request waits"
        );

        using var foreign = await two.DeleteAsync("/v1/sync/requests/mine");
        await foreign.ShouldBeProblemAsync(403, "request-of-another", "mine");
        using var again = await one.GetAsync("/v1/sync/cursors");
        await again.ShouldBeProblemAsync(409, "request-running", "mine");
        waiting.IsCompleted.ShouldBeFalse();
        using var own = await one.DeleteAsync("/v1/sync/requests/mine");
        own.StatusCode.ShouldBe(HttpStatusCode.NoContent);

        using var answer = await waiting.WaitAsync(TimeSpan.FromSeconds(20));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var gone = await one.DeleteAsync("/v1/sync/requests/mine");
        await gone.ShouldBeProblemAsync(404, "request-unknown", "mine");
    }

    private static IEnumerable<(string, string)> Tokens(params string[] names) =>
        names.SelectMany(
            (name, i) =>
                new (string, string)[]
                {
                    ($"FileTransfer__Tokens__{i}__Name", name),
                    (
                        $"FileTransfer__Tokens__{i}__Sha256",
                        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))
                    ),
                    ($"FileTransfer__Tokens__{i}__Scopes__0", "node"),
                }
        );

    private static HttpClient ClientOf(NodeProcess node, string token) =>
        new()
        {
            BaseAddress = node.Url,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };

    private static string WithNulls(PlainFile file)
    {
        var metadata = file.Metadata();
        metadata.Insert(3, "locationHex", null);
        return metadata.ToJsonString();
    }

    private static async Task<long[]> CursorsAsync(NodeProcess node) =>
        [
            .. (await node.GetJsonAsync("/v1/sync/cursors"))
                .GetProperty("bins")
                .EnumerateArray()
                .Select(bin => bin.GetProperty("cursor").GetInt64()),
        ];

    private static async Task<long> CursorAsync(NodeProcess node, int bin) => (await CursorsAsync(node))[bin];

    private static IEnumerable<long> Sequence(long from, int count) => Enumerable.Range(0, count).Select(i => from + i);

    private static int BinOf(PlainFile file) =>
        FileKey.TryParse(file.Key, out var key) ? key.Bin : throw new FormatException(file.Key);
}
