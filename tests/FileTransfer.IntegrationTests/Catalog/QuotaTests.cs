using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Wants.Loads;

namespace FileTransfer.IntegrationTests.Catalog;

/// <summary>A bucket has no more than its quota, however its files come to be and however many come at once.</summary>
public sealed class QuotaTests : IAsyncLifetime
{
    private static readonly byte[] _bucket = [0x0a];

    private TestCluster _cluster = null!;
    private NodeProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        _node = await _cluster.StartLeaderAsync("a", ("FileTransfer__Store__TrashPeriod", "01:00:00"));
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_quota_is_exact_however_many_upload_at_once_and_what_is_removed_makes_room()
    {
        (await UploadAsync(File(100))).ShouldBe(HttpStatusCode.Created);
        (await SetAsync(bytes: 2000, files: 1000)).GetProperty("usedBytes").GetInt64().ShouldBe(100);

        var many = Enumerable.Range(0, 30).Select(_ => File(100)).ToList();
        var ends = await Task.WhenAll(many.Select(UploadAsync));

        ends.CountBy(end => end)
            .OrderBy(end => end.Key)
            .Select(end => (end.Key, end.Value))
            .ShouldBe([(HttpStatusCode.Created, 19), (HttpStatusCode.Conflict, 11)]);
        (await QuotaAsync()).ShouldBe((2000, 20, false));
        using (var refused = await PostAsync(File(1)))
        {
            var problem = await refused.ReadProblemAsync("quota-exceeded");
            problem.GetProperty("bucket").GetString().ShouldBe("0x0a");
            problem.GetProperty("usedBytes").GetInt64().ShouldBe(2000);
            problem.GetProperty("bytes").GetInt64().ShouldBe(2000);
            problem.GetProperty("detail").GetString()!.ShouldContain("filetransfer quota set 0x0a");
        }

        // What was refused has left nothing, and what is there may come again.
        var stored = many[Array.IndexOf(ends, HttpStatusCode.Created)];
        (await UploadAsync(stored)).ShouldBe(HttpStatusCode.OK);
        var missing = many[Array.IndexOf(ends, HttpStatusCode.Conflict)];
        (await _node.Http.GetAsync($"/v1/files/{missing.Key}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        (await _node.Http.DeleteAsync($"/v1/files/{stored.Key}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await QuotaAsync()).ShouldBe((1900, 19, false));
        (await UploadAsync(missing)).ShouldBe(HttpStatusCode.Created);
        using (var restored = await _node.Http.PostAsync($"/v1/files/{stored.Key}/restore", null))
        {
            await restored.ReadProblemAsync("quota-exceeded");
        }

        (await _node.Http.DeleteAsync("/v1/buckets/0x0a/quota")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await UploadAsync(File(100))).ShouldBe(HttpStatusCode.Created);
    }

    [Thorough]
    [Fact]
    public async Task Of_a_batch_that_is_too_much_what_has_room_is_stored()
    {
        await SetAsync(bytes: null, files: 3);
        var other = PlainFile.Random(1000);
        PlainFile[] files = [File(10), File(20), other, File(30), File(40), File(50)];

        var lines = await _node.PutAsync(PlainBatch.Of(files));

        lines.Select(line => line.Status()).ShouldBe([201, 201, 201, 201, 409, 409]);
        lines[4].Problem().ShouldBe("quota-exceeded");
        (await QuotaAsync()).ShouldBe((60, 3, false));
        (await _node.PutAsync(PlainBatch.Of(files))).Select(line => line.Status()).ShouldBe([200, 200, 200, 200, 409, 409]);
    }

    [Thorough]
    [Fact]
    public async Task Registrations_at_every_node_count_in_full_and_an_upload_of_a_registered_file_is_taken()
    {
        var follower = await _cluster.StartFollowerAsync("b");
        await SetAsync(bytes: 150_000, files: null);
        var file = File(100_000);
        (await RegisterAsync(_node, file)).ShouldBe(HttpStatusCode.Created);
        (await RegisterAsync(_node, File(100_000))).ShouldBe(HttpStatusCode.Conflict);
        (await RegisterAsync(follower, File(100_000))).ShouldBe(HttpStatusCode.Conflict);
        (await RegisterAsync(follower, File(50_000))).ShouldBe(HttpStatusCode.Created);
        (await RegisterAsync(follower, file)).ShouldBe(HttpStatusCode.OK);

        using var upload = await _node.Http.PostAsync($"/upload/{file.Key}", new ByteArrayContent(file.Framed));

        upload.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await QuotaAsync()).ShouldBe((150_000, 2, false));
    }

    [Fact]
    public async Task A_long_body_that_has_no_room_is_refused_before_it_is_sent_and_counts_those_under_way()
    {
        await SetAsync(bytes: 300_000, files: null);
        var slow = new TaskCompletionSource();
        using var first = new HalfBody(File(200_000).Content, slow.Task);
        var running = _node.Http.PostAsync(PathOf(File(200_000)), first);
        await first.Begun;
        await Eventually.HoldsAsync(
            async () =>
                (await _node.GetJsonAsync("/v1/uploads"))
                    .GetProperty("uploads")
                    .EnumerateArray()
                    .Any(upload => upload.GetProperty("bytesReceived").GetInt64() > 0),
            "the first one has its place: its body is read"
        );

        // It waits to be asked for its body, however busy the machine is.
        using var waiting = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) });
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_node.Url, PathOf(File(200_000))));
        using var never = request.Content = new HalfBody(new byte[200_000], Task.CompletedTask);
        request.Headers.ExpectContinue = true;
        using var refused = await waiting.SendAsync(request);

        await refused.ReadProblemAsync("quota-exceeded");
        ((HalfBody)never).Begun.IsCompleted.ShouldBeFalse();
        slow.SetResult();
        (await running).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await QuotaAsync()).ShouldBe((200_000, 1, false));
    }

    [Thorough]
    [Fact]
    public async Task What_a_load_names_comes_all_the_same_and_is_shown()
    {
        await SetAsync(bytes: null, files: 1);
        var file = PlainIn(TestFile.Of(1000));
        var other = PlainIn(TestFile.Of(2000));
        var order = new
        {
            files = new Dictionary<string, string> { ["a"] = file.Key, ["b"] = other.Key },
            deadline = "00:10:00",
            metadata = new Dictionary<string, object> { ["a"] = file.Metadata(), ["b"] = other.Metadata() },
        };

        (await _node.LoadAsync("state", order)).Status.ShouldBe(HttpStatusCode.Created);

        await Eventually.HoldsAsync(async () => await QuotaAsync() == (3000, 2, true), "both are counted");
        var listed = (await _node.GetJsonAsync("/v1/quotas")).GetProperty("quotas")[0];
        listed.GetProperty("exceeded").GetBoolean().ShouldBeTrue();
        (await UploadAsync(File(1))).ShouldBe(HttpStatusCode.Conflict);
        var program = await TestedProgram.RunAsync("quota", "list", "--url", $"{_node.Url}");
        program.ShouldSatisfyAllConditions(
            () => program.Code.ShouldBe(3),
            () => program.Out.ShouldContain("2 of 1 files\texceeded")
        );
    }

    [Thorough]
    [Fact]
    public async Task A_quota_that_is_set_while_files_come_and_go_has_counted_each_once()
    {
        var stop = new CancellationTokenSource();
        var coming = Enumerable
            .Range(0, 4)
            .Select(async _ =>
            {
                while (!stop.IsCancellationRequested)
                {
                    var file = File(10);
                    (await UploadAsync(file)).ShouldBe(HttpStatusCode.Created);
                    if (file.Key[^1] < '5')
                    {
                        (await _node.Http.DeleteAsync($"/v1/files/{file.Key}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
                    }
                }
            })
            .ToList();
        for (var i = 0; i < 10; i++)
        {
            await SetAsync(bytes: 1_000_000_000, files: null);
            await _node.Http.DeleteAsync("/v1/buckets/0x0a/quota");
        }

        await SetAsync(bytes: 1_000_000_000, files: null);
        await stop.CancelAsync();
        await Task.WhenAll(coming);

        var there = await _cluster.Database.ScalarAsync<long>(
            "SELECT count(*) FROM filetransfer.files WHERE state <> 'removed' AND bucket = '\\x0a'"
        );
        there.ShouldBeGreaterThan(0);
        (await QuotaAsync()).ShouldBe((10 * there, there, false));
    }

    [Thorough]
    [Fact]
    public async Task The_program_sets_and_removes_quotas_and_says_what_is_wrong()
    {
        var url = $"{_node.Url}";
        var set = await TestedProgram.RunAsync("quota", "set", "0x0a", "--bytes", "2TB", "--url", url);
        set.Code.ShouldBe(2, set.Out);
        (await TestedProgram.RunAsync("quota", "set", "0x0a", "--url", url)).Code.ShouldBe(2);
        (await TestedProgram.RunAsync("quota", "set", "0x0a", "--bytes", "1GB", "--files", "5", "--url", url)).Code.ShouldBe(0);
        (await TestedProgram.RunAsync("quota", "list", "--url", url)).Out.ShouldBe("0x0a\t0 of 1000000000 bytes\t0 of 5 files\n");
        (await TestedProgram.RunAsync("quota", "remove", "0x0a", "--url", url)).Code.ShouldBe(0);
        (await TestedProgram.RunAsync("quota", "remove", "0x0a", "--url", url)).Code.ShouldBe(5);
        using var nothing = await _node.Http.PutAsJsonAsync("/v1/buckets/0x0a/quota", new { });
        nothing.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    private static PlainFile File(int size) => PlainFile.Random(size, _bucket);

    private static PlainFile PlainIn(TestFile file) => new(file.Content, bucket: _bucket);

    private static string PathOf(PlainFile file) =>
        $"/v1/files?owner={PlainFile.Hex(file.Owner)}&bucket=0x0a&locationHex={PlainFile.Hex(file.Location)}";

    private async Task<HttpResponseMessage> PostAsync(PlainFile file) =>
        await _node.Http.PostAsync(PathOf(file), new ByteArrayContent(file.Content));

    private async Task<HttpStatusCode> UploadAsync(PlainFile file)
    {
        using var answer = await PostAsync(file);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> RegisterAsync(NodeProcess node, PlainFile file)
    {
        using var answer = await node.Http.PutAsJsonAsync($"/v1/files/{file.Key}", file.Metadata());
        return answer.StatusCode;
    }

    private async Task<JsonElement> SetAsync(long? bytes, long? files)
    {
        using var set = await _node.Http.PutAsJsonAsync("/v1/buckets/0x0a/quota", new { bytes, files });
        set.StatusCode.ShouldBe(HttpStatusCode.OK, await set.Content.ReadAsStringAsync());
        return await set.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<(long Bytes, long Files, bool Exceeded)> QuotaAsync()
    {
        var quota = await _node.GetJsonAsync("/v1/buckets/0x0a/quota");
        return (
            quota.GetProperty("usedBytes").GetInt64(),
            quota.GetProperty("usedFiles").GetInt64(),
            quota.GetProperty("exceeded").GetBoolean()
        );
    }

    /// <summary>Sends half of its bytes, and the rest when it is told to.</summary>
    private sealed class HalfBody(byte[] bytes, Task rest) : HttpContent
    {
        private readonly TaskCompletionSource _begun = new();

        public Task Begun => _begun.Task;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(bytes.AsMemory(0, bytes.Length / 2));
            await stream.FlushAsync();
            _begun.SetResult();
            await rest;
            await stream.WriteAsync(bytes.AsMemory(bytes.Length / 2));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return true;
        }
    }
}
