using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Serving;

/// <summary>Readers that pause, senders that vanish or do not read, and followers that are asked for what the leader has.</summary>
public sealed class PatienceTests(PatientNodes nodes, ITestOutputHelper output) : IClassFixture<PatientNodes>
{
    [Fact]
    public async Task A_reader_that_pauses_gets_the_rest() =>
        (await nodes.Paused).AsSpan().SequenceEqual(nodes.Large.Content).ShouldBeTrue();

    [Fact]
    public async Task A_slow_tool_behind_curl_gets_all()
    {
        if (RealClient.AreThere(output, "curl"))
        {
            (await nodes.PausedPipe).ShouldBe((0, ""));
        }
    }

    [Fact]
    public async Task A_download_of_curl_that_was_stopped_for_seconds_is_resumed_to_the_same_content()
    {
        if (RealClient.AreThere(output, "curl"))
        {
            (await nodes.StoppedCurl).ShouldBe((0, ""));
        }
    }

    [Fact]
    public async Task A_reader_that_pauses_for_longer_than_it_may_is_ended_and_never_sees_a_whole_answer()
    {
        (await nodes.PausedTooLong).ShouldNotBeNull();
        nodes.Follower.Log.ShouldContain("FileTransfer:Serving");
    }

    [Fact]
    public async Task A_reader_that_pauses_keeps_no_node_from_its_turn()
    {
        RawConnection? paused = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                paused?.Dispose();
                paused = await RawConnection.OpenAsync(nodes.Leader);
                await paused.SendHeadAsync("GET", $"/download/{nodes.Large.Key}", ("FileTransfer-Node", "pauses"));
                return await paused.StatusAsync() == 200;
            },
            "the node has its turn, though others had theirs before"
        );
        using var reader = paused!;
        await reader.ReceiveSomeAsync(100_000);

        await Eventually.HoldsAsync(
            async () =>
            {
                using var response = await nodes.Leader.SendAsync(
                    HttpMethod.Get,
                    $"/download/{nodes.Large.Key}",
                    ("FileTransfer-Node", "other")
                );
                return response.StatusCode == HttpStatusCode.OK;
            },
            "another node has its turn",
            TimeSpan.FromSeconds(Showing.Of(small: 30, full: 5))
        );
    }

    [Fact]
    public async Task A_client_that_writes_all_before_it_reads_finds_the_early_answer()
    {
        var answers = await nodes.WrittenBeforeRead;
        answers.Select(answer => answer.Status).ShouldBe([200, 404, 404]);
        Encoding.UTF8.GetString(answers[1].Body).ShouldContain("file-unknown");
        Encoding.UTF8.GetString(answers[2].Body).ShouldContain("route-unknown");
    }

    [Fact]
    public async Task An_upload_whose_sender_vanished_is_taken_over_by_the_next_one()
    {
        var file = PlainFile.Random(300 * 1024);
        await nodes.Leader.RegisterAsync(file);
        using var vanished = await RawConnection.OpenAsync(nodes.Leader);
        await vanished.SendHeadAsync("POST", $"/upload/{file.Key}", ("Content-Length", $"{file.Framed.Length}"));
        await vanished.SendAsync(file.FramesOf(Enumerable.Range(0, 200)));
        await HasAsync(file, 200);

        using var response = await nodes.Leader.UploadAsync(file.Key, file.FramesOf(Enumerable.Range(200, 100)));

        await response.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
        (await vanished.ReadAnswerAsync()).Status.ShouldBe(408);
    }

    [Fact]
    public async Task An_upload_that_brings_no_byte_is_ended_and_its_chunks_are_kept()
    {
        var file = PlainFile.Random(300 * 1024);
        await nodes.Leader.RegisterAsync(file);
        using var vanished = await RawConnection.OpenAsync(nodes.Leader);
        await vanished.SendHeadAsync("POST", $"/upload/{file.Key}", ("Content-Length", $"{file.Framed.Length}"));
        await vanished.SendAsync(file.FramesOf(Enumerable.Range(0, 200)));

        var answer = await vanished.ReadAnswerAsync();
        answer.Status.ShouldBe(408);
        Encoding.UTF8.GetString(answer.Body).ShouldContain("FileTransfer:Uploads:IdleTimeout");

        using var response = await nodes.Leader.UploadAsync(file.Key, file.FramesOf(Enumerable.Range(200, 100)));
        await response.ShouldBeEmptyOkAsync();
    }

    [Fact]
    public async Task A_raw_upload_that_brings_no_byte_is_ended_and_leaves_nothing_behind()
    {
        using var vanished = await RawConnection.OpenAsync(nodes.Leader);
        await vanished.SendHeadAsync("POST", "/v1/files?owner=0x01&bucket=0x02&location=x", ("Content-Length", "1000000"));
        await vanished.SendAsync(new byte[100_000]);

        (await vanished.ReadAnswerAsync()).Status.ShouldBe(408);

        await Eventually.HoldsAsync(
            () =>
                Task.FromResult(
                    !Directory.EnumerateDirectories(Path.Combine(nodes.Leader.DataDirectory, "partial"), "incoming.*").Any()
                ),
            "nothing is left"
        );
    }

    [Fact]
    public async Task Two_uploads_of_one_file_that_both_bring_bytes_go_on_side_by_side()
    {
        var file = PlainFile.Random(4 * 1024 * 1024);
        await nodes.Leader.RegisterAsync(file);
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => nodes.Leader.UploadAsync(file.Key, file.Framed)));
        foreach (var answer in answers)
        {
            using (answer)
            {
                await answer.ShouldBeEmptyOkAsync();
            }
        }
    }

    [Fact]
    public async Task A_follower_that_still_downloads_says_who_has_the_file()
    {
        foreach (var path in (string[])[$"/download/{nodes.Large.Key}", $"/v1/files/{nodes.Large.Key}/content"])
        {
            using var response = await nodes.SlowFollower.Http.GetAsync(path);
            var problem = await response.ShouldBeProblemAsync(503, "file-elsewhere", $"'a' at {nodes.Leader.Url.OriginalString}");
            response.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
            problem.GetProperty("nodes").EnumerateArray().Select(node => node.GetString()).ShouldBe(["a", "b"]);
            problem.GetProperty("urls").GetArrayLength().ShouldBe(2);
            problem.GetProperty("state").GetString().ShouldBeOneOf("wanted", "downloading", "absent");
        }

        using var ofNode = await nodes.SlowFollower.SendAsync(
            HttpMethod.Get,
            $"/download/{nodes.Large.Key}",
            ("FileTransfer-Node", "d")
        );
        await ofNode.ShouldBeProblemAsync(409, "file-not-stored");
    }

    [Fact]
    public async Task Health_tells_a_balancer_which_node_takes_writes()
    {
        using var leader = await nodes.Leader.Http.GetAsync("/health/leader");
        leader.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await leader.Content.ReadAsStringAsync()).ShouldBe("""{"status":"leading"}""");
        using var follower = await nodes.Follower.Http.GetAsync("/health/leader");
        follower.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await follower.Content.ReadAsStringAsync()).ShouldBe("""{"status":"following"}""");
    }

    [Fact]
    public async Task A_follower_that_passes_writes_on_takes_them_like_the_leader()
    {
        var framed = PlainFile.Random(3 * 1024 * 1024);
        await nodes.Leader.RegisterAsync(framed);
        using (var uploaded = await nodes.Follower.UploadAsync(framed.Key, framed.Framed))
        {
            await uploaded.ShouldBeEmptyOkAsync();
        }

        await framed.ShouldBeStoredAsync(nodes.Leader);
        var content = PlainFile.RandomBytes(2 * 1024 * 1024);
        var key = await nodes.Follower.PutAsync(content, $"forwarded/{Guid.NewGuid()}");
        (await nodes.Leader.Http.GetByteArrayAsync($"/v1/files/{key}/content")).AsSpan().SequenceEqual(content).ShouldBeTrue();

        using var removed = await nodes.Follower.Http.DeleteAsync($"/v1/files/{key}");
        removed.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await nodes.Leader.Http.GetAsync($"/v1/files/{key}/content")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_the_leader_says_to_a_write_that_was_passed_on_comes_back_as_it_is()
    {
        var unknown = PlainFile.Random(10);
        using var response = await nodes.Follower.UploadAsync(unknown.Key, unknown.Framed);
        await response.ShouldBeProblemAsync(404, "file-unknown", unknown.Key);

        using var waiting = await RawConnection.OpenAsync(nodes.Follower);
        await waiting.SendHeadAsync(
            "POST",
            $"/upload/{unknown.Key}",
            ("Content-Length", "1073741824"),
            ("Expect", "100-continue")
        );
        (await waiting.ReadAnswerAsync()).Status.ShouldBe(404, "the client is not told to send a body that nobody needs");
    }

    [Fact]
    public async Task A_follower_names_the_leader_where_it_is_not_told_to_pass_writes_on_or_one_was_passed_on_already()
    {
        using var other = await nodes.SlowFollower.UploadAsync(nodes.Small.Key, nodes.Small.Framed);
        await other.ShouldBeProblemAsync(421, "not-leader", nodes.Leader.Url.OriginalString);
        using var again = await nodes.Follower.SendAsync(
            HttpMethod.Delete,
            $"/v1/files/{nodes.Small.Key}",
            ("FileTransfer-Forwarded-By", "c")
        );
        await again.ShouldBeProblemAsync(421, "not-leader");
        await nodes.Small.ShouldBeStoredAsync(nodes.Leader);
    }

    [Thorough]
    [Fact]
    public async Task A_write_that_is_passed_on_may_do_what_its_own_token_may_do_at_the_leader()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartAsync("a", [.. Token(0, "both", "write"), .. Token(1, "of-nodes", "node")]);
        await Eventually.HoldsAsync(
            async () => (await leader.Http.GetAsync("/health/leader")).IsSuccessStatusCode,
            "the leader leads"
        );
        var follower = await cluster.StartFollowerAsync(
            "b",
            [
                ("FileTransfer__ForwardWrites", "true"),
                ("FileTransfer__NodeToken", "of-nodes"),
                .. Token(0, "both", "write"),
                .. Token(1, "only-here", "write"),
            ]
        );
        var path = $"/v1/files/{nodes.Small.Key}";

        using var known = await follower.SendAsync(HttpMethod.Delete, path, ("Authorization", "Bearer both"));
        await known.ShouldBeProblemAsync(404, "file-unknown");
        using var unknown = await follower.SendAsync(HttpMethod.Delete, path, ("Authorization", "Bearer only-here"));
        await unknown.ShouldBeProblemAsync(401, "unauthenticated");

        static (string, string)[] Token(int index, string token, string scope) =>
            [
                ($"FileTransfer__Tokens__{index}__Name", token),
                (
                    $"FileTransfer__Tokens__{index}__Sha256",
                    Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)))
                ),
                ($"FileTransfer__Tokens__{index}__Scopes__0", scope),
            ];
    }

    [Thorough]
    [Fact]
    public async Task A_stop_waits_neither_for_a_sender_nor_for_a_reader_that_stands_still()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("a", ("FileTransfer__DrainTimeout", "00:10:00"));
        await node.StoreAsync(nodes.Large);
        var file = PlainFile.Random(300 * 1024);
        await node.RegisterAsync(file);
        using var reader = await RawConnection.OpenAsync(node);
        await reader.SendHeadAsync("GET", $"/download/{nodes.Large.Key}");
        await reader.ReceiveSomeAsync(100_000);
        using var sender = await RawConnection.OpenAsync(node);
        await sender.SendHeadAsync("POST", $"/upload/{file.Key}", ("Content-Length", $"{file.Framed.Length}"));
        await sender.SendAsync(file.FramesOf(Enumerable.Range(0, 200)));

        var clock = Stopwatch.StartNew();
        (await node.StopAsync()).ShouldBe(0);

        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(Showing.Of(small: 60, full: 20)));
        node.Log.ShouldContain("the node is stopping");
    }

    private async Task HasAsync(PlainFile file, int chunks) =>
        await Eventually.HoldsAsync(
            () =>
                Task.FromResult(
                    Directory
                        .EnumerateDirectories(Path.Combine(nodes.Leader.DataDirectory, "partial"), file.Key[2..] + ".*")
                        .SelectMany(Directory.EnumerateFiles)
                        .Any(path => HasChunk(path, file, chunks - 1))
                ),
            $"{chunks} chunks have come"
        );

    private static bool HasChunk(string path, PlainFile file, int chunk)
    {
        var bytes = File.ReadAllBytes(path);
        return bytes.Length == file.Content.Length && bytes.AsSpan(chunk * 1024, 1024).SequenceEqual(file.Chunk(chunk));
    }
}
