using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.Contracts;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Wants.Loads;

/// <summary>A named set of files by a deadline: whole, or given up loudly with what every source said.</summary>
public sealed class LoadTests(LoadTests.LoadingNode loading) : IClassFixture<LoadTests.LoadingNode>
{
    private NodeProcess Node => loading.Node;

    [Fact]
    public async Task Files_that_are_known_by_keys_alone_come_from_the_shares_and_are_the_clusters_own()
    {
        var files = loading.Good.Add(TestFile.Of(1), TestFile.Of(70_000), TestFile.Of(5_000_000), TestFile.Of(300_000));
        loading.Bad.Add(files);
        loading.Bad.Misbehaves = async (context, file, part) =>
        {
            if (part == "")
            {
                await FakeShare.SendAsync(context, Spoilt(file.Content));
            }

            return part == "";
        };
        var registered = FileRegistration.Of(files[0].Metadata);
        var order = LoadNode.Order(files, 120, metadata: new Dictionary<string, FileRegistration> { ["label 0"] = registered });

        var (status, begun) = await Node.LoadAsync("state", order);

        status.ShouldBe(HttpStatusCode.Created);
        begun.Text("says").ShouldContain("0 of 4 files are stored");
        var load = await Node.EndOfLoadAsync("state");
        load.Text("state").ShouldBe("stored", $"{load}");
        load.GetProperty("labels").GetProperty("label 2").GetString().ShouldBe($"{files[2].Key}");
        load.GetProperty("bytesProven").GetInt64().ShouldBe(files.Sum(file => file.Content.Length));
        foreach (var file in files)
        {
            (await Node.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content")).ShouldBe(file.Content);
            await Eventually.HoldsAsync(
                async () => (await Node.GetJsonAsync($"/v1/files/{file.Key}")).GetProperty("fileState").GetString() == "added",
                "its Add is in the feed"
            );
        }

        var bad = load.GetProperty("sources").EnumerateArray().First();
        bad.Text("source").ShouldBe("share bad");
        bad.GetProperty("corrupt").GetInt32().ShouldBeGreaterThan(0);
        bad.GetProperty("wastedBytes").GetInt64().ShouldBeInRange(1, 10_000_000);

        // The same again is the same; it says so at once, and asks nobody.
        var asked = loading.Good.Requests.Count + loading.Bad.Requests.Count;
        var (again, same) = await Node.LoadAsync("state", order);
        again.ShouldBe(HttpStatusCode.OK);
        same.GetProperty("id").GetInt64().ShouldBe(load.GetProperty("id").GetInt64());
        await using var reader = await EventReader.OpenAsync(Node, "/v1/loads/state/events");
        (await reader.NextAsync("stored")).Data.GetProperty("labels").EnumerateObject().Count().ShouldBe(4);
        (loading.Good.Requests.Count + loading.Bad.Requests.Count).ShouldBe(asked);
    }

    [Fact]
    public async Task A_file_that_nobody_has_fails_the_load_after_its_rounds_with_every_answer_and_what_came_stays()
    {
        var files = loading.Good.Add([.. Enumerable.Range(0, Showing.Of(200, 5000)).Select(_ => TestFile.Of(1000))]);
        var nowhere = TestFile.Of(1000);
        var described = new Dictionary<string, FileRegistration> { ["label 0"] = FileRegistration.Of(nowhere.Metadata) };

        await Node.LoadAsync("holed", LoadNode.Order([nowhere, .. files], 120, rounds: 2, described));
        await using var reader = await EventReader.OpenAsync(Node, "/v1/loads/holed/events");
        (await reader.NextAsync("state")).Data.GetProperty("missing").GetArrayLength().ShouldBeGreaterThan(0);
        (await reader.NextAsync("progress")).Data.GetProperty("missing").GetArrayLength().ShouldBe(0);

        var load = await Node.EndOfLoadAsync("holed", TimeSpan.FromSeconds(100));
        load.Text("state").ShouldBe("failed");
        load.GetProperty("stored").GetInt32().ShouldBe(files.Length);
        load.GetProperty("round").GetInt32().ShouldBe(2);
        load.Text("reason")
            .ShouldStartWith($"its 2 rounds failed; 1 of {files.Length + 1} files are not here, such as 'label 0'");
        var missing = load.GetProperty("missing").EnumerateArray().ShouldHaveSingleItem();
        missing.Text("key").ShouldBe($"{nowhere.Key}");
        missing.GetProperty("answers").EnumerateArray().Select(answer => answer.Text("source")).ShouldContain("share good");
        missing.GetProperty("answers").EnumerateArray().Last().Text("said").ShouldContain("does not have the file");
        load.Overdue().ShouldBeLessThan(TimeSpan.Zero);
        await Eventually.HoldsAsync(
            async () => await Node.StateOfAsync($"{nowhere.Key}") == "absent",
            "it is not wanted any more"
        );
        (await Node.StateOfAsync($"{files[0].Key}")).ShouldBe("stored");
    }

    [Thorough]
    [Fact]
    public async Task A_load_without_an_answer_ends_at_its_deadline_also_after_a_kill_and_nothing_of_it_is_left()
    {
        var files = loading.Slow.Add(TestFile.Of(3_000_000), TestFile.Of(900_000));
        var node = await loading.StartSlowAsync();
        var (_, begun) = await node.LoadAsync("late", LoadNode.Order(files, 8));
        await Eventually.HoldsAsync(() => Task.FromResult(loading.Slow.Requests.Count > 0), "it asks");

        await node.KillAsync();
        var again = await loading.StartSlowAsync();

        var load = await again.EndOfLoadAsync("late");
        load.GetProperty("deadline").GetDateTimeOffset().ShouldBe(begun.GetProperty("deadline").GetDateTimeOffset());
        load.Text("state").ShouldBe("failed");
        load.Text("reason").ShouldStartWith("its deadline passed in round");

        // A start on a busy machine may take longer than the deadline was away.
        load.Overdue().ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(Showing.Of(20, 1)));
        await NothingIsLeftAsync(again, files);
    }

    [Thorough]
    [Fact]
    public async Task A_load_that_is_replaced_goes_on_with_what_the_newer_one_wants_and_a_stale_one_is_refused()
    {
        var files = loading.Slow.Add(TestFile.Of(400_000), TestFile.Of(400_000), TestFile.Of(400_000));
        var node = await loading.StartSlowAsync("c");
        for (var sequence = 1; sequence <= 10; sequence++)
        {
            var order = new
            {
                files = new Dictionary<string, string>
                {
                    ["one"] = $"{files[0].Key}",
                    ["other"] = $"{files[sequence % 2 + 1].Key}",
                },
                deadline = "00:05:00",
                sequence,
            };
            (await node.LoadAsync("turn", order)).Status.ShouldBe(HttpStatusCode.Created);
        }

        using var stale = await node.Http.PutAsJsonAsync(
            "/v1/loads/turn",
            new
            {
                files = new { one = $"{files[2].Key}" },
                deadline = "00:01:00",
                sequence = 9,
            }
        );
        (await stale.ReadProblemAsync("load-stale")).GetProperty("sequence").GetInt64().ShouldBe(10);
        await Eventually.HoldsAsync(
            async () =>
                await node.StateOfAsync($"{files[0].Key}") is "wanted" or "downloading"
                && await node.StateOfAsync($"{files[1].Key}") is "wanted" or "downloading"
                && await node.StateOfAsync($"{files[2].Key}") is null or "absent",
            "what the newest wants is under way, and nothing else"
        );
        (await node.GetJsonAsync("/v1/loads"))
            .GetProperty("loads")
            .EnumerateArray()
            .Count(one => one.Text("name") == "turn")
            .ShouldBe(1);

        // A set is whole or not at all: a file of it is neither given up alone nor put behind others.
        using (var cancelled = await node.Http.PostAsync($"/v1/files/{files[0].Key}/cancel", null))
        {
            (await cancelled.ReadProblemAsync("not-cancellable")).Text("detail").ShouldContain("by a load that runs: turn");
        }

        using var put = await node.Http.PutAsJsonAsync($"/v1/files/{files[0].Key}/priority", new { priority = 100 });
        (await put.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("files").GetInt64().ShouldBe(0);
        var says = (await node.GetJsonAsync($"/v1/files/{files[0].Key}/explain")).GetProperty("says").EnumerateArray();
        says.Select(sentence => sentence.GetString()).ShouldContain("It is wanted here by a load that runs: turn.");

        using var ended = await node.Http.DeleteAsync("/v1/loads/turn");
        (await ended.Content.ReadFromJsonAsync<JsonElement>()).Text("state").ShouldBe("withdrawn");
        await NothingIsLeftAsync(node, files);
        (await node.Http.DeleteAsync("/v1/loads/nothing")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_removed_file_is_refused_unless_it_is_to_be_added_again_and_a_removal_fails_the_load()
    {
        var file = TestFile.Of(2000);
        var other = TestFile.Of(3000);
        await Node.PutAsync(file.Content, file.Location);
        using var removed = await Node.Http.DeleteAsync($"/v1/files/{file.Key}");
        removed.EnsureSuccessStatusCode();
        loading.Good.Add(file);

        var (status, problem) = await Node.LoadAsync("back", LoadNode.Order([file], 60));
        (status, problem.Text("type")).ShouldBe((HttpStatusCode.NotFound, "urn:filetransfer:problem:file-removed"));
        var files = new Dictionary<string, string> { ["one"] = $"{file.Key}" };
        await Node.LoadAsync(
            "back",
            new
            {
                files,
                deadline = "00:01:00",
                readd = true,
            }
        );
        (await Node.EndOfLoadAsync("back")).Text("state").ShouldBe("stored");

        // Nobody has the other one.
        files["two"] = $"{other.Key}";
        var metadata = new Dictionary<string, FileRegistration> { ["two"] = FileRegistration.Of(other.Metadata) };
        await Node.LoadAsync(
            "back",
            new
            {
                files,
                metadata,
                deadline = "00:05:00",
            }
        );
        await Eventually.HoldsAsync(async () => await Node.StateOfAsync($"{other.Key}") is "wanted", "it is wanted");
        using var gone = await Node.Http.DeleteAsync($"/v1/files/{file.Key}");
        gone.EnsureSuccessStatusCode();
        var load = await Node.EndOfLoadAsync("back");
        load.Text("state").ShouldBe("failed");
        load.Text("reason")
            .ShouldContain($"a file of it was removed; 2 of 2 files are not here, such as 'one' ({file.Key}), which is removed");
    }

    private static async Task NothingIsLeftAsync(NodeProcess node, TestFile[] files)
    {
        foreach (var file in files)
        {
            await Eventually.HoldsAsync(
                async () => await node.StateOfAsync($"{file.Key}") is null or "absent",
                $"{file.Key} is not wanted any more"
            );
        }

        var partial = Path.Combine(node.DataDirectory, "partial");
        await Eventually.HoldsAsync(
            () => Task.FromResult(!Directory.Exists(partial) || !Directory.EnumerateFileSystemEntries(partial).Any()),
            "nothing partial is left"
        );
    }

    private static byte[] Spoilt(byte[] content) => [(byte)(content[0] ^ 1), .. content[1..]];

    /// <summary>A node that leads with two shares, of which a test may spoil one, and others with a share that never gets far.</summary>
    public sealed class LoadingNode : IAsyncLifetime
    {
        private TestCluster _cluster = null!;
        private readonly List<TestCluster> _others = [];

        internal FakeShare Good { get; private set; } = null!;

        internal FakeShare Bad { get; private set; } = null!;

        internal FakeShare Slow { get; private set; } = null!;

        public NodeProcess Node { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            (Good, Bad, Slow) = (await FakeShare.StartAsync(), await FakeShare.StartAsync(), await FakeShare.StartAsync());
            Slow.Misbehaves = async (context, file, part) =>
            {
                if (part == "")
                {
                    await TrickleAsync(context, file.Content);
                }

                return part == "";
            };
            _cluster = await TestCluster.CreateAsync();
            Node = await _cluster.StartLeaderAsync(
                "a",
                [.. SourceCluster.Impatient, .. FakeShare.Settings(("good", Good), ("bad", Bad))]
            );
        }

        /// <summary>The same node again, where it has been started before.</summary>
        internal async Task<NodeProcess> StartSlowAsync(string id = "b")
        {
            var cluster = _others.Find(one => Directory.Exists(one.FolderOf(id)));
            if (cluster is null)
            {
                _others.Add(cluster = await TestCluster.CreateAsync());
            }

            return await cluster.StartLeaderAsync(id, FakeShare.Settings(("slow", Slow)));
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var cluster in _others.Append(_cluster))
            {
                await cluster.DisposeAsync();
            }

            foreach (var share in (FakeShare[])[Good, Bad, Slow])
            {
                await share.DisposeAsync();
            }
        }

        private static async Task TrickleAsync(HttpContext context, byte[] content)
        {
            context.Response.ContentLength = content.Length;
            await context.Response.Body.WriteAsync(content.AsMemory(0, 2048), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        }
    }
}
