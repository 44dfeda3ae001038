using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Uploads;

/// <summary>Many files in one request.</summary>
[Collection(SharedNodes.Name)]
public sealed class BatchUploadTests(RunningCluster nodes)
{
    [Fact]
    public async Task Files_of_a_batch_are_stored_and_added_and_the_same_again_finds_them_stored()
    {
        PlainFile[] files =
        [
            .. new[] { 1, 23, 1023, 1024, 8192, 64 * 1024, (64 * 1024) + 1, 300_001, 5000 }.Select(size =>
                PlainFile.Random(size)
            ),
        ];
        byte[] batch =
        [
            .. PlainBatch.Of(files[..3]),
            .. files[3..6]
                .SelectMany(file => PlainBatch.Entry(file, metadata => metadata["key"] = file.Key[2..].ToUpperInvariant())),
            .. files[6..].SelectMany(file => PlainBatch.Entry(file, metadata => metadata.Remove("fingerprint"))),
        ];

        var first = await nodes.Leader.PutAsync(batch);
        first.Select(line => line.Status()).ShouldAllBe(status => status == 201);
        first.Select(line => line.Key()).ShouldBe(files.Select(file => file.Key));
        var again = await nodes.Leader.PutAsync(batch);
        again.Select(line => line.Status()).ShouldAllBe(status => status == 200);
        again.Select(line => line.Key()).ShouldBe(files.Select(file => file.Key));

        foreach (var file in files)
        {
            await file.ShouldBeStoredAsync(nodes.Leader);
            await TestCluster.StoredAsync(nodes.Follower, file.Key);
        }
    }

    [Fact]
    public async Task An_empty_batch_is_answered_with_nothing()
    {
        using var response = await nodes.Leader.PostAsync([]);
        await response.ShouldBeEmptyOkAsync();
    }

    [Fact]
    public async Task A_file_that_is_twice_in_a_batch_is_stored_once_and_a_content_under_two_keys_for_both()
    {
        var file = PlainFile.Random(3000);
        var other = new PlainFile(file.Content);

        var lines = await nodes.Leader.PutAsync(PlainBatch.Of([file, file, other, file]));

        lines.Select(line => line.Status()).ShouldBe([201, 200, 201, 200]);
        lines.Select(line => line.Key()).ShouldBe([file.Key, file.Key, other.Key, file.Key]);
        await file.ShouldBeStoredAsync(nodes.Leader);
        await other.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task A_file_that_was_removed_comes_back_with_a_batch()
    {
        var file = PlainFile.Random(3000);
        await nodes.Leader.PutAsync(PlainBatch.Of([file]));
        using (await nodes.Leader.Http.DeleteAsync($"/v1/files/{file.Key}")) { }

        (await nodes.Leader.PutAsync(PlainBatch.Of([file])))[0].Status().ShouldBe(201);

        await file.ShouldBeStoredAsync(nodes.Leader);
        await TestCluster.StoredAsync(nodes.Follower, file.Key);
    }

    public static TheoryData<string, int, string> BadFiles =>
        new()
        {
            { "wrong fingerprint", 422, "fingerprint-mismatch" },
            { "wrong fingerprint of a large file", 422, "fingerprint-mismatch" },
            { "metadata of 1 MiB", 422, "metadata-invalid" },
            { "metadata of 1 MiB of a large file", 422, "metadata-invalid" },
            { "another size", 422, "metadata-invalid" },
            { "another size of a large file", 422, "metadata-invalid" },
            { "no size", 400, "bad-request" },
            { "empty", 422, "metadata-invalid" },
            { "not JSON", 400, "bad-request" },
            { "null", 400, "bad-request" },
            { "no metadata", 400, "bad-request" },
            { "unknown member", 400, "bad-request" },
            { "malformed key", 400, "file-key-malformed" },
            { "another key", 422, "key-mismatch" },
        };

    [Theory]
    [MemberData(nameof(BadFiles))]
    public async Task A_bad_file_spoils_itself_alone(string fault, int status, string problem)
    {
        PlainFile[] files = [.. Enumerable.Range(0, 4).Select(_ => PlainFile.Random(2000))];
        var bad = PlainFile.Random(fault.EndsWith("large file", StringComparison.Ordinal) ? 200_000 : 2000);
        var entry = fault switch
        {
            ['w', 'r', 'o', 'n', 'g', ..] => PlainBatch.Entry(bad, metadata => metadata["fingerprint"] = files[0].Fingerprint),
            ['m', 'e', 't', 'a', 'd', ..] => PlainBatch.Entry(new byte[1024 * 1024], bad.Content),
            ['a', .., 's', 'i', 'z', 'e'] or "another size of a large file" => PlainBatch.Entry(
                bad,
                metadata => metadata["size"] = 1
            ),
            "no size" => PlainBatch.Entry(bad, metadata => metadata.Remove("size")),
            "empty" => PlainBatch.Entry(Encoding.UTF8.GetBytes(Emptied(bad).ToJsonString()), []),
            "not JSON" => PlainBatch.Entry("{"u8.ToArray(), bad.Content),
            "null" => PlainBatch.Entry("null"u8.ToArray(), bad.Content),
            "no metadata" => PlainBatch.Entry([], bad.Content),
            "unknown member" => PlainBatch.Entry(bad, metadata => metadata["Size"] = 2000),
            "malformed key" => PlainBatch.Entry(bad, metadata => metadata["key"] = "0x12"),
            "another key" => PlainBatch.Entry(bad, metadata => metadata["key"] = files[0].Key),
            _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "unknown"),
        };

        var lines = await nodes.Leader.PutAsync([.. PlainBatch.Of(files[..2]), .. entry, .. PlainBatch.Of(files[2..])]);

        lines.Select(line => line.Status()).ShouldBe([201, 201, status, 201, 201]);
        lines[2].Problem().ShouldBe(problem);
        (await nodes.Leader.StateOfAsync(bad.Key)).ShouldBeNull();
        foreach (var file in files)
        {
            await file.ShouldBeStoredAsync(nodes.Leader);
        }
    }

    private static JsonObject Emptied(PlainFile file)
    {
        var metadata = file.Metadata();
        metadata["size"] = 0;
        return metadata;
    }

    [Fact]
    public async Task Each_file_is_answered_while_the_batch_still_comes()
    {
        PlainFile[] files = [PlainFile.Random(100), PlainFile.Random(200_000), PlainFile.Random(3000)];
        using var client = await RawConnection.OpenAsync(nodes.Leader);
        await client.SendHeadAsync(
            "POST",
            PlainBatch.Route,
            ("Content-Type", PlainBatch.MediaType),
            ("Transfer-Encoding", "chunked")
        );
        foreach (var file in files)
        {
            // Cut anywhere: pieces of the body have nothing to do with files.
            var entry = PlainBatch.Entry(file);
            await client.SendChunkAsync(entry[..7]);
            await client.SendChunkAsync(entry[7..]);
            await client.ReadUntilAsync(file.Key);
            await file.ShouldBeStoredAsync(nodes.Leader);
        }

        await client.SendChunkAsync([]);
        (await client.ReadUntilAsync("\r\n0\r\n\r\n")).ShouldStartWith("HTTP/1.1 200 OK\r\n");
    }

    [Fact]
    public async Task A_batch_that_ends_inside_a_file_says_so_and_keeps_what_came_before()
    {
        var (whole, cut) = (PlainFile.Random(3000), PlainFile.Random(3000));
        byte[] batch = PlainBatch.Of([whole, cut]);
        foreach (var length in (int[])[batch.Length - 1, batch.Length - 3001, batch.Length - 3100, (batch.Length / 2) + 3])
        {
            var lines = await nodes.Leader.PutAsync(batch[..length]);
            lines.Count.ShouldBe(2);
            lines[0].Key().ShouldBe(whole.Key);
            lines[1].Status().ShouldBe(422);
            lines[1].Problem().ShouldBe("upload-invalid");
        }

        (await nodes.Leader.StateOfAsync(cut.Key)).ShouldBeNull();
        (await nodes.Leader.PutAsync(batch)).Select(line => line.Status()).ShouldBe([200, 201]);
    }

    [Fact]
    public async Task A_sender_that_vanishes_inside_a_file_loses_only_that_one()
    {
        var (whole, cut) = (PlainFile.Random(3000), PlainFile.Random(3000));
        byte[] batch = PlainBatch.Of([whole, cut]);
        using (var client = await RawConnection.OpenAsync(nodes.Leader))
        {
            await client.SendHeadAsync(
                "POST",
                PlainBatch.Route,
                ("Content-Type", PlainBatch.MediaType),
                ("Content-Length", $"{batch.Length}")
            );
            await client.SendAsync(batch[..^100]);
            await client.ReadUntilAsync(whole.Key);
            client.Reset();
        }

        await whole.ShouldBeStoredAsync(nodes.Leader);
        (await nodes.Leader.StateOfAsync(cut.Key)).ShouldBeNull();
        (await nodes.Leader.PutAsync(batch)).Select(line => line.Status()).ShouldBe([200, 201]);
    }

    [Fact]
    public async Task A_follower_names_the_leader_before_it_reads_the_batch()
    {
        using var client = await RawConnection.OpenAsync(nodes.Follower);
        await client.SendHeadAsync(
            "POST",
            PlainBatch.Route,
            ("Content-Type", PlainBatch.MediaType),
            ("Content-Length", "1073741824")
        );

        var answer = await client.ReadAnswerAsync();

        answer.Status.ShouldBe(421);
        JsonNode.Parse(answer.Body)!["leaderUrl"]!.GetValue<string>().ShouldBe($"{nodes.Leader.Url}".TrimEnd('/'));
    }

    [Fact]
    public async Task A_body_of_another_media_type_is_no_batch()
    {
        using var body = new StringContent("{}");
        using var response = await nodes.Leader.Http.PostAsync(PlainBatch.Route, body);
        await response.ShouldBeProblemAsync(415, "media-type-unsupported", PlainBatch.MediaType);
    }

    [Fact]
    public async Task A_content_that_is_here_under_another_key_is_stored_and_added_by_the_registration_alone()
    {
        var file = PlainFile.Random(3000);
        await nodes.Leader.PutAsync(PlainBatch.Of([file]));
        var copy = new PlainFile(file.Content);

        using var response = await nodes.Leader.RegisterAsync(copy.Key, copy.Metadata());

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        JsonNode.Parse(await response.Content.ReadAsStringAsync())!["state"]!.GetValue<string>().ShouldBe("stored");
        await copy.ShouldBeStoredAsync(nodes.Leader);
        await TestCluster.StoredAsync(nodes.Follower, copy.Key);
    }
}
