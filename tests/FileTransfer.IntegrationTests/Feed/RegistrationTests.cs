using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed;

[Collection(SharedNodes.Name)]
public sealed class RegistrationTests(RunningCluster nodes)
{
    public static TheoryData<string> MalformedKeys =>
        [
            "zz",
            new string('a', 63),
            new string('a', 65),
            "0x" + new string('a', 62),
            new string('a', 63) + "g",
            "x" + new string('a', 64),
        ];

    [Theory]
    [MemberData(nameof(MalformedKeys))]
    public async Task A_malformed_key_is_named_by_every_route_that_takes_one(string key)
    {
        (HttpMethod Method, string Path)[] routes =
        [
            (HttpMethod.Get, $"/v1/files/{key}"),
            (HttpMethod.Put, $"/v1/files/{key}"),
            (HttpMethod.Delete, $"/v1/files/{key}"),
            (HttpMethod.Get, $"/v1/files/{key}/content"),
            (HttpMethod.Get, $"/v1/files/{key}/hashes"),
            (HttpMethod.Get, $"/download/{key}"),
            (HttpMethod.Post, $"/upload/{key}"),
        ];
        foreach (var (method, path) in routes)
        {
            using var request = new HttpRequestMessage(method, path);
            request.Content = method == HttpMethod.Put ? JsonContent.Create(PlainFile.Random(1).Metadata()) : null;
            using var response = await nodes.Leader.Http.SendAsync(request);

            await response.ShouldBeProblemAsync(400, "file-key-malformed", $"'{key}'");
        }
    }

    [Fact]
    public async Task A_key_is_read_with_and_without_prefix_and_in_any_case_by_every_route()
    {
        var file = PlainFile.Random(3000);
        var digits = file.Key[2..];
        string[] spellings = [digits, digits.ToUpperInvariant(), "0X" + digits.ToUpperInvariant(), file.Key];

        using (var registered = await nodes.Leader.RegisterAsync(digits.ToUpperInvariant(), file.Metadata()))
        {
            registered.StatusCode.ShouldBe(HttpStatusCode.Created);
            registered.Headers.Location!.ToString().ShouldBe($"/v1/files/{file.Key}");
        }

        await (await nodes.Leader.UploadAsync("0X" + digits.ToUpperInvariant(), file.Framed)).ShouldBeEmptyOkAsync();
        foreach (var key in spellings)
        {
            (await nodes.Leader.GetJsonAsync($"/v1/files/{key}")).GetProperty("key").GetString().ShouldBe(file.Key);
            (await nodes.Leader.Http.GetByteArrayAsync($"/download/{key}")).ShouldBe(file.Framed);
            (await nodes.Leader.Http.GetByteArrayAsync($"/v1/files/{key}/content")).ShouldBe(file.Content);
        }

        using var removed = await nodes.Leader.Http.DeleteAsync($"/v1/files/{digits.ToUpperInvariant()}");
        removed.StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_registered_file_is_described_with_its_metadata_and_its_replicas()
    {
        var file = PlainFile.Random(2500);

        using var first = await nodes.Leader.RegisterAsync(file.Key, file.Metadata());
        using var again = await nodes.Leader.RegisterAsync(file.Key, file.Metadata());

        first.StatusCode.ShouldBe(HttpStatusCode.Created);
        again.StatusCode.ShouldBe(HttpStatusCode.OK);
        foreach (
            var resource in new[]
            {
                await JsonOf(first),
                await JsonOf(again),
                await nodes.Leader.GetJsonAsync($"/v1/files/{file.Key}"),
            }
        )
        {
            resource.GetProperty("key").GetString().ShouldBe(file.Key);
            resource.GetProperty("owner").GetString().ShouldBe(PlainFile.Hex(file.Owner));
            resource.GetProperty("bucket").GetString().ShouldBe(PlainFile.Hex(file.Bucket));
            resource.GetProperty("location").GetString().ShouldBe(Encoding.UTF8.GetString(file.Location));
            resource.TryGetProperty("locationHex", out _).ShouldBeFalse();
            resource.GetProperty("size").GetInt64().ShouldBe(2500);
            resource.GetProperty("fingerprint").GetString().ShouldBe(file.Fingerprint);
            resource.GetProperty("fileState").GetString().ShouldBe("registered");
            resource.GetProperty("removedAt").ValueKind.ShouldBe(JsonValueKind.Null);
            resource.GetProperty("state").GetString().ShouldBe("wanted");
            var replica = resource.GetProperty("replicas").EnumerateArray().ShouldHaveSingleItem();
            replica.GetProperty("node").GetString().ShouldBe("a");
            replica.GetProperty("state").GetString().ShouldBe("wanted");
            replica.GetProperty("progress").GetDouble().ShouldBe(0);
            replica.GetProperty("reason").GetString().ShouldNotBeNullOrEmpty();
        }
    }

    [Fact]
    public async Task A_location_that_is_not_UTF8_is_given_and_told_in_hex()
    {
        var file = new PlainFile(PlainFile.RandomBytes(10), location: [0xff, 0x00, .. PlainFile.RandomBytes(8)]);
        var metadata = file.Metadata();
        metadata.Remove("location");
        metadata["locationHex"] = PlainFile.Hex(file.Location);

        using var response = await nodes.Leader.RegisterAsync(file.Key, metadata);

        response.StatusCode.ShouldBe(HttpStatusCode.Created, await response.Content.ReadAsStringAsync());
        var resource = await nodes.Leader.GetJsonAsync($"/v1/files/{file.Key}");
        resource.GetProperty("locationHex").GetString().ShouldBe(PlainFile.Hex(file.Location));
        resource.TryGetProperty("location", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_key_that_is_not_the_hash_of_the_metadata_is_refused_with_the_right_one()
    {
        var (file, other) = (PlainFile.Random(100), PlainFile.Random(100));

        using var response = await nodes.Leader.RegisterAsync(other.Key, file.Metadata());

        var problem = await response.ShouldBeProblemAsync(422, "key-mismatch", other.Key, file.Key);
        problem.GetProperty("computedKey").GetString().ShouldBe(file.Key);
        (await nodes.Leader.StateOfAsync(other.Key)).ShouldBeNull();
        (await nodes.Leader.StateOfAsync(file.Key)).ShouldBeNull();
    }

    [Theory]
    [InlineData("size", "0", "size is 0")]
    [InlineData("size", "18446744073709551615", "18446744073709551615")]
    [InlineData("owner", "\"0x\"", "owner is empty")]
    [InlineData("owner", "\"0xabc\"", "'0xabc'")]
    [InlineData("bucket", "\"\"", "bucket is empty")]
    [InlineData("bucket", "\"hello\"", "'hello'")]
    [InlineData("location", "\"\"", "location is empty")]
    [InlineData("fingerprint", "\"0x12\"", "'0x12'")]
    public async Task Metadata_that_cannot_name_a_file_is_refused_with_its_value(string member, string json, string named)
    {
        var file = PlainFile.Random(100);
        var metadata = file.Metadata();
        metadata[member] = System.Text.Json.Nodes.JsonNode.Parse(json);

        using var response = await nodes.Leader.RegisterAsync(file.Key, metadata);

        await response.ShouldBeProblemAsync(422, "metadata-invalid", named);
    }

    [Fact]
    public async Task A_location_of_a_mebibyte_is_refused_and_named_by_its_length()
    {
        var file = new PlainFile([1], location: [.. Enumerable.Repeat((byte)'x', 1024 * 1024)]);

        using var asText = await nodes.Leader.RegisterAsync(file.Key, file.Metadata());
        await asText.ShouldBeProblemAsync(422, "metadata-invalid", "1048576");

        var metadata = file.Metadata();
        metadata.Remove("location");
        metadata["locationHex"] = PlainFile.Hex(file.Location);
        using var asHex = await nodes.Leader.RegisterAsync(file.Key, metadata);
        await asHex.ShouldBeProblemAsync(422, "metadata-invalid", "1048576");
    }

    [Theory]
    [InlineData("owner")]
    [InlineData("bucket")]
    [InlineData("location")]
    [InlineData("size")]
    [InlineData("fingerprint")]
    public async Task A_missing_member_is_named(string member)
    {
        var file = PlainFile.Random(100);
        var metadata = file.Metadata();
        metadata.Remove(member);

        using var response = await nodes.Leader.RegisterAsync(file.Key, metadata);
        await response.ShouldBeProblemAsync(400, "bad-request", member);

        metadata[member] = null;
        using var asNull = await nodes.Leader.RegisterAsync(file.Key, metadata);
        await asNull.ShouldBeProblemAsync(400, "bad-request", member);
    }

    [Fact]
    public async Task Two_locations_at_once_are_refused()
    {
        var file = PlainFile.Random(100);
        var metadata = file.Metadata();
        metadata["locationHex"] = PlainFile.Hex(file.Location);

        using var response = await nodes.Leader.RegisterAsync(file.Key, metadata);

        await response.ShouldBeProblemAsync(400, "bad-request", "locationHex");
    }

    [Fact]
    public async Task An_unknown_member_is_refused_and_named()
    {
        var file = PlainFile.Random(100);
        var metadata = file.Metadata();
        metadata["colour"] = "blue";

        using var response = await nodes.Leader.RegisterAsync(file.Key, metadata);

        await response.ShouldBeProblemAsync(400, "bad-request", "colour");
        (await nodes.Leader.StateOfAsync(file.Key)).ShouldBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("12")]
    [InlineData("{")]
    [InlineData("owner=0x01&bucket=0x02")]
    [InlineData("{\"size\":-1}")]
    [InlineData("{\"size\":\"many\"}")]
    [InlineData("{\"size\":1.5}")]
    [InlineData("{\"location\":\"\\ud800\"}")]
    [InlineData("{\"size\":1,\"size\":2}")]
    public async Task A_body_that_is_not_the_JSON_of_a_registration_is_malformed(string body)
    {
        using var response = await nodes.Leader.RegisterAsync(PlainFile.Random(1).Key, body);

        await response.ShouldBeProblemAsync(400, "bad-request", "/swagger");
    }

    [Fact]
    public async Task Another_media_type_than_JSON_is_refused_with_the_right_one()
    {
        var file = PlainFile.Random(100);
        using var body = new StringContent(file.Metadata().ToJsonString(), Encoding.UTF8, "text/plain");

        using var response = await nodes.Leader.Http.PutAsync($"/v1/files/{file.Key}", body);

        await response.ShouldBeProblemAsync(415, "media-type-unsupported");
    }

    [Theory]
    [InlineData("bucket=0x02&location=x", 400, "bad-request", "owner")]
    [InlineData("owner=0x01&location=x", 400, "bad-request", "bucket")]
    [InlineData("owner=0x01&bucket=0x02", 400, "bad-request", "location")]
    [InlineData("owner=0x01&bucket=0x02&location=x&locationHex=0x01", 400, "bad-request", "locationHex")]
    [InlineData("owner=zz&bucket=0x02&location=x", 422, "metadata-invalid", "'zz'")]
    [InlineData("owner=&bucket=0x02&location=x", 422, "metadata-invalid", "owner is empty")]
    [InlineData("owner=0x01&bucket=0x02&location=", 422, "metadata-invalid", "location is empty")]
    public async Task A_raw_content_needs_the_metadata_that_its_bytes_do_not_tell(
        string query,
        int status,
        string slug,
        string named
    )
    {
        using var body = new ByteArrayContent([1, 2, 3]);

        using var response = await nodes.Leader.Http.PostAsync($"/v1/files?{query}", body);

        await response.ShouldBeProblemAsync(status, slug, named);
    }

    [Fact]
    public async Task An_empty_raw_content_is_refused()
    {
        using var body = new ByteArrayContent([]);

        using var response = await nodes.Leader.Http.PostAsync("/v1/files?owner=0x01&bucket=0x02&location=empty", body);

        await response.ShouldBeProblemAsync(422, "metadata-invalid", "empty");
    }

    [Fact]
    public async Task A_raw_content_gets_the_identity_that_its_definition_says()
    {
        var file = PlainFile.Random(70_001);
        var query =
            $"owner={PlainFile.Hex(file.Owner)}&bucket={PlainFile.Hex(file.Bucket)}&locationHex={PlainFile.Hex(file.Location)}";
        for (var time = 0; time < 2; time++)
        {
            using var body = new ByteArrayContent(file.Content);
            using var response = await nodes.Leader.Http.PostAsync($"/v1/files?{query}", body);

            response.StatusCode.ShouldBe(time == 0 ? HttpStatusCode.Created : HttpStatusCode.OK);
            var resource = await JsonOf(response);
            resource.GetProperty("key").GetString().ShouldBe(file.Key);
            resource.GetProperty("fingerprint").GetString().ShouldBe(file.Fingerprint);
            resource.GetProperty("state").GetString().ShouldBe("stored");
            resource.GetProperty("fileState").GetString().ShouldBe("added");
            if (time == 0)
            {
                response.Headers.Location!.ToString().ShouldBe($"/v1/files/{file.Key}");
            }
        }

        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    private static Task<JsonElement> JsonOf(HttpResponseMessage response) => response.Content.ReadFromJsonAsync<JsonElement>();
}
