using System.Net;
using System.Net.Http.Json;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Catalog.Repair;

/// <summary>What a disk has made of a stored content reaches no reader as a whole answer, and is mended from another node by itself.</summary>
[Collection(SharedNodes.Name)]
public sealed class DamageTests(RunningCluster nodes)
{
    public static TheoryData<string, int> Damages =>
        new()
        {
            { "flipped", 20_000 },
            { "flipped", DamageScene.Large },
            { "cut", 20_000 },
            { "cut", DamageScene.Large },
            { "emptied", 20_000 },
            { "longer", DamageScene.Large },
            { "deleted", 20_000 },
            { "a folder", 20_000 },
        };

    [Thorough]
    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_content_of_the_leader_is_never_a_whole_answer_and_comes_back_from_the_follower(
        string damage,
        int size
    )
    {
        var file = await nodes.StoredAtBothAsync(size);
        (await nodes.Leader.ReadAsync(file)).ShouldBe(file.Content);
        Damage(damage, nodes.Leader, file);

        foreach (var path in (string[])["/download/{0}", "/v1/files/{0}/content", "/v1/files/{0}/hashes"])
        {
            await ShouldNotBeWrongAsync(nodes.Leader, string.Format(null, path, file.Key), file);
        }

        // It is called stored until the last of these answers has been looked into.
        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await nodes.Leader.Http.GetAsync($"/v1/files/{file.Key}/content");
                return answer.IsSuccessStatusCode;
            },
            "the leader has it back"
        );
        (await nodes.Leader.ReadAsync(file)).ShouldBe(file.Content);
        (await nodes.Follower.ReadAsync(file)).ShouldBe(file.Content);
    }

    [Fact]
    public async Task Every_representation_of_a_flipped_content_is_cut_or_refused_and_digests_are_of_right_bytes_only()
    {
        foreach (
            var (method, path, range) in ((HttpMethod, string, string?)[])
                [
                    (HttpMethod.Get, "/download/{0}", null),
                    (HttpMethod.Get, "/download/{0}", "bytes=2064000-"),
                    (HttpMethod.Get, "/v1/files/{0}/content", null),
                    (HttpMethod.Get, "/v1/files/{0}/content", "bytes=2047999-2048001"),
                    (HttpMethod.Head, "/v1/files/{0}/content", null),
                ]
        )
        {
            var file = await nodes.StoredAtBothAsync(3_000_000);
            StoredOnDisk.Flip(nodes.Leader, file.Fingerprint, 2_048_000);
            using var request = new HttpRequestMessage(method, string.Format(null, path, file.Key));
            request.Headers.Add("Want-Repr-Digest", "sha-256=1");
            if (range is not null)
            {
                request.Headers.TryAddWithoutValidation("Range", range);
            }

            await ShouldNotBeWrongAsync(nodes.Leader, request, file);
            await TestCluster.StoredAsync(nodes.Leader, file.Key);
        }
    }

    [Fact]
    public async Task A_delivery_to_whoever_does_not_prove_it_is_proven()
    {
        var file = await nodes.StoredAtBothAsync(20_000);
        using (var first = await nodes.Leader.Http.PostAsJsonAsync("/v1/sync/deliveries", new { want = new[] { file.Key } }))
        {
            (await first.Content.ReadAsByteArrayAsync())[8..].ShouldBe(file.Content);
        }

        StoredOnDisk.Flip(nodes.Leader, file.Fingerprint, 5);
        try
        {
            using var answer = await nodes.Leader.Http.PostAsJsonAsync("/v1/sync/deliveries", new { want = new[] { file.Key } });
            var body = await answer.Content.ReadAsByteArrayAsync();
            (body.Length == 8 || body[8..].AsSpan().SequenceEqual(file.Content)).ShouldBeTrue(
                "a wrong content was delivered whole"
            );
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException) { }

        await TestCluster.StoredAsync(nodes.Leader, file.Key);
    }

    [Theory]
    [InlineData(20_000)]
    [InlineData(DamageScene.Large)]
    public async Task A_complaint_of_a_node_makes_this_one_prove_its_own_copy(int size)
    {
        var file = await nodes.StoredAtBothAsync(size);
        (await nodes.Follower.ComplainAsync(file.Key)).GetProperty("finding").GetString().ShouldBe("intact");
        StoredOnDisk.Flip(nodes.Follower, file.Fingerprint, 3000);

        var answer = await nodes.Follower.ComplainAsync(file.Key);
        answer.GetProperty("finding").GetString().ShouldBe("damaged");
        answer.GetProperty("reason").GetString().ShouldNotBeNullOrEmpty();
        await TestCluster.StoredAsync(nodes.Follower, file.Key);
        (await nodes.Follower.ReadAsync(file)).ShouldBe(file.Content);
        StoredOnDisk
            .Quarantined(nodes.Follower)
            .ShouldContain(said => said.Contains(answer.GetProperty("reason").GetString()!, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_complaint_about_what_is_not_here_is_a_problem()
    {
        using var unknown = await nodes.Follower.Http.PostAsJsonAsync(
            $"/v1/files/{new string('7', 64)}/damage",
            new { chunk = 1 }
        );
        await unknown.ShouldBeProblemAsync(404, "file-unknown");
        var file = PlainFile.Random(100);
        await nodes.Leader.RegisterAsync(file);
        using var absent = await nodes.Follower.Http.PostAsJsonAsync($"/v1/files/{file.Key}/damage", new { });
        await absent.ShouldBeProblemAsync(409, "file-not-stored", file.Key);
    }

    private static void Damage(string damage, NodeProcess node, PlainFile file)
    {
        switch (damage)
        {
            case "flipped":
                StoredOnDisk.Flip(node, file.Fingerprint, file.Content.Length / 2);
                break;
            case "cut":
                StoredOnDisk.Cut(node, file.Fingerprint, file.Content.Length - 1);
                break;
            case "emptied":
                StoredOnDisk.Cut(node, file.Fingerprint, 0);
                break;
            case "longer":
                StoredOnDisk.Cut(node, file.Fingerprint, file.Content.Length + 1);
                break;
            case "deleted":
                StoredOnDisk.Delete(node, file.Fingerprint);
                break;
            default:
                StoredOnDisk.Delete(node, file.Fingerprint);
                Directory.CreateDirectory(StoredOnDisk.PathOf(node, file.Fingerprint));
                break;
        }
    }

    private static async Task ShouldNotBeWrongAsync(NodeProcess node, string path, PlainFile file)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        await ShouldNotBeWrongAsync(node, request, file);
    }

    /// <summary>Right, a problem, or cut: never a whole answer with a wrong byte, a wrong length or a wrong digest.</summary>
    private static async Task ShouldNotBeWrongAsync(NodeProcess node, HttpRequestMessage request, PlainFile file)
    {
        var path = request.RequestUri!.OriginalString;
        var right =
            path.Contains("/download/", StringComparison.Ordinal) ? file.Framed
            : path.EndsWith("/hashes", StringComparison.Ordinal) ? file.Hashes
            : file.Content;
        try
        {
            using var answer = await node.Http.SendAsync(request);
            var body = await answer.Content.ReadAsByteArrayAsync();
            if (!answer.IsSuccessStatusCode)
            {
                answer.StatusCode.ShouldBeOneOf(HttpStatusCode.Conflict, HttpStatusCode.ServiceUnavailable);
                return;
            }

            if (answer.Headers.TryGetValues("Repr-Digest", out var digest))
            {
                var sha = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(file.Content));
                digest.ShouldBe([$"sha-256=:{sha}:"]);
            }

            var (from, length) = answer.Content.Headers.ContentRange is { } range
                ? ((int)range.From!.Value, (int)(range.To!.Value - range.From.Value + 1))
                : (0, right.Length);
            answer.Content.Headers.ContentLength.ShouldBe(length);
            if (request.Method == HttpMethod.Get)
            {
                body.AsSpan()
                    .SequenceEqual(right.AsSpan(from, length))
                    .ShouldBeTrue($"{path} was answered whole, with wrong bytes");
            }
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException) { }
    }
}
