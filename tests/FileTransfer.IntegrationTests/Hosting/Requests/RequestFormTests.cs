using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Hosting.Requests;

/// <summary>What requests may look like, and what is said of those that look otherwise.</summary>
[Collection(SharedNodes.Name)]
public sealed class RequestFormTests(RunningCluster nodes)
{
    [Theory]
    [InlineData("/v1/files", 200)]
    [InlineData("/v1/files?limit=1", 200)]
    [InlineData("/v1/files/{key}", 200)]
    [InlineData("/v1/files/{key}/explain", 200)]
    [InlineData("/v1/files/{unknown}", 404)]
    [InlineData("/v1/buckets/0x02/policy", 200)]
    [InlineData("/v1/buckets/0x02/missing", 200)]
    [InlineData("/v1/leader", 200)]
    [InlineData("/v1/nodes", 200)]
    [InlineData("/v1/limits", 200)]
    public async Task HEAD_says_what_GET_says_and_sends_nothing(string path, int status)
    {
        var file = PlainFile.Random(10);
        await nodes.Leader.StoreAsync(file);
        path = path.Replace("{key}", file.Key, StringComparison.Ordinal)
            .Replace("{unknown}", PlainFile.Random(9).Key, StringComparison.Ordinal);

        using var head = await nodes.Leader.SendAsync(HttpMethod.Head, path);
        using var get = await nodes.Leader.SendAsync(HttpMethod.Get, path);

        ((int)head.StatusCode).ShouldBe(status);
        get.StatusCode.ShouldBe(head.StatusCode);
        head.Content.Headers.ContentType.ShouldBe(get.Content.Headers.ContentType);
        head.Headers.CacheControl!.ToString().ShouldBe(get.Headers.CacheControl!.ToString());
        (await head.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/v1/events", 200)]
    [InlineData("/v1/files/{key}/events", 200)]
    [InlineData("/v1/files/{unknown}/events", 404)]
    public async Task HEAD_of_a_stream_of_events_ends_with_the_headers_that_GET_begins_with(string path, int status)
    {
        var file = PlainFile.Random(10);
        await nodes.Leader.StoreAsync(file);
        path = path.Replace("{key}", file.Key, StringComparison.Ordinal)
            .Replace("{unknown}", PlainFile.Random(9).Key, StringComparison.Ordinal);

        using var head = await nodes.Leader.SendAsync(HttpMethod.Head, path);
        using var get = await nodes.Leader.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);

        ((int)head.StatusCode).ShouldBe(status);
        get.StatusCode.ShouldBe(head.StatusCode);
        head.Content.Headers.ContentType.ShouldBe(get.Content.Headers.ContentType);
        head.Headers.CacheControl!.ToString().ShouldBe(get.Headers.CacheControl!.ToString());
        (await head.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET", "/v1/files?bukket=0x02", "'bukket'", "bucket, owner, state, location, limit, after")]
    [InlineData("GET", "/v1/files?limit=1&x=", "'x'", "limit")]
    [InlineData("GET", "/v1/nodes?all", "'all'", "it takes none")]
    [InlineData("GET", "/v1/files/{key}?state=stored", "'state'", "it takes none")]
    [InlineData("GET", "/v1/files/{key}/content?download=1", "'download'", "it takes none")]
    [InlineData("DELETE", "/v1/files/{key}?force=true", "'force'", "it takes now")]
    [InlineData("GET", "/v1/files?limit=1&limit=2", "'limit'", "2 times")]
    [InlineData("POST", "/v1/files?owner=0x01&bucket=0x02&locatoin=x", "'locatoin'", "owner, bucket, location, locationHex")]
    public async Task A_parameter_that_the_route_does_not_know_is_named_with_those_it_knows(
        string method,
        string path,
        string named,
        string known
    )
    {
        var file = PlainFile.Random(10);
        await nodes.Leader.StoreAsync(file);
        path = path.Replace("{key}", file.Key, StringComparison.Ordinal);

        using var response = await nodes.Leader.SendAsync(new HttpMethod(method), path);

        await response.ShouldBeProblemAsync(400, "bad-request", named, known);
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task Health_answers_whatever_stands_behind_the_question_mark()
    {
        using var response = await nodes.Leader.Http.GetAsync("/health/live?probe=17");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_can_be_removed_is_asked_for_again_before_a_cache_uses_it()
    {
        var file = PlainFile.Random(3000);
        await nodes.Leader.StoreAsync(file);
        string[] paths =
        [
            $"/download/{file.Key}",
            $"/v1/files/{file.Key}/content",
            $"/v1/files/{file.Key}/hashes",
            $"/v1/files/{file.Key}",
            "/v1/files",
            "/v1/nodes",
        ];
        foreach (var path in paths)
        {
            using var response = await nodes.Leader.Http.GetAsync(path);
            response.Headers.CacheControl!.ToString().ShouldBe("no-cache", path);
            if (response.Headers.ETag is { } tag)
            {
                tag.IsWeak.ShouldBeFalse();
                using var again = await nodes.Leader.SendAsync(HttpMethod.Get, path, ("If-None-Match", tag.ToString()));
                again.StatusCode.ShouldBe(HttpStatusCode.NotModified);
                again.Headers.CacheControl!.ToString().ShouldBe("no-cache", path);
            }
        }

        using (await nodes.Leader.Http.DeleteAsync($"/v1/files/{file.Key}")) { }

        using var removed = await nodes.Leader.Http.GetAsync($"/v1/files/{file.Key}/content");
        removed.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        removed.Headers.CacheControl!.NoStore.ShouldBeTrue();
    }

    public static TheoryData<string> Wrappings => ["multipart", "form", "gzip", "range"];

    [Theory]
    [MemberData(nameof(Wrappings))]
    public async Task A_wrapped_body_is_refused_and_nothing_of_it_is_stored(string wrapping)
    {
        var location = $"wrapped/{Guid.NewGuid()}";
        using var body = Wrap(wrapping, PlainFile.RandomBytes(5000));
        using var response = await nodes.Leader.Http.PostAsync($"/v1/files?owner=0x01&bucket=0x02&location={location}", body);

        await response.ShouldBeProblemAsync(415, "media-type-unsupported", "send");
        (await nodes.Leader.GetJsonAsync($"/v1/files?location={location}")).GetProperty("files").GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("multipart")]
    [InlineData("gzip")]
    public async Task A_wrapped_upload_of_a_key_is_refused_as_what_it_is(string wrapping)
    {
        var file = PlainFile.Random(5000);
        await nodes.Leader.RegisterAsync(file);
        using var body = Wrap(wrapping, file.Framed);
        using var refused = await nodes.Leader.Http.PostAsync($"/upload/{file.Key}", body);
        await refused.ShouldBeProblemAsync(415, "media-type-unsupported", "send");

        using var response = await nodes.Leader.UploadAsync(file.Key, file.Framed);
        await response.ShouldBeEmptyOkAsync();
    }

    [Theory]
    [InlineData("some text, with = and & in it")]
    [InlineData("=nothing before it")]
    [InlineData("{\"json\": 1}")]
    public async Task Bytes_that_a_client_only_calls_a_form_are_taken_as_they_are(string content)
    {
        using var body = Typed(Encoding.UTF8.GetBytes(content), "application/x-www-form-urlencoded");
        using var response = await nodes.Leader.Http.PostAsync(
            $"/v1/files?owner=0x01&bucket=0x02&location=called/{Guid.NewGuid()}",
            body
        );
        response.StatusCode.ShouldBe(HttpStatusCode.Created, await response.Content.ReadAsStringAsync());
        var stored = await nodes.Leader.Http.GetStringAsync($"{response.Headers.Location}/content");
        stored.ShouldBe(content);
    }

    private static HttpContent Wrap(string wrapping, byte[] content)
    {
        switch (wrapping)
        {
            case "multipart":
                return new MultipartFormDataContent { { new ByteArrayContent(content), "file", "photo.jpg" } };
            case "form":
                return new FormUrlEncodedContent([new("name", "photo"), new("content", Convert.ToBase64String(content))]);
            case "range":
                var range = new ByteArrayContent(content);
                range.Headers.ContentRange = new ContentRangeHeaderValue(0, content.Length - 1, content.Length * 2);
                return range;
            default:
                using (var packed = new MemoryStream())
                {
                    using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                    {
                        gzip.Write(content);
                    }

                    var encoded = new ByteArrayContent(packed.ToArray());
                    encoded.Headers.ContentEncoding.Add("gzip");
                    return encoded;
                }
        }
    }

    private static ByteArrayContent Typed(byte[] body, string type)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return content;
    }
}
