using System.Net;
using System.Security.Cryptography;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Serving;

/// <summary>The three representations of a stored file, each asked for as RFC 9110 allows.</summary>
[Collection(SharedNodes.Name)]
public sealed class DownloadTests(RunningCluster nodes)
{
    private const string Current = "{current}";

    /// <summary>Request headers with the current tag filled in; the status; first byte and bytes of the answer, from the end when negative.</summary>
    public static TheoryData<string, int, int, int> Conditions =>
        new()
        {
            { "", 200, 0, int.MaxValue },
            { "Range: bytes=0-0", 206, 0, 1 },
            { "Range: bytes=5-100", 206, 5, 96 },
            { "Range: BYTES=5-100", 206, 5, 96 },
            { "Range: bytes=60-", 206, 60, int.MaxValue },
            { "Range: bytes=60-99999999999999999999", 206, 60, int.MaxValue },
            { "Range: bytes=-7", 206, -7, 7 },
            { "Range: bytes=-99999999", 206, 0, int.MaxValue },
            { "Range: bytes=100000-", 416, 0, 0 },
            { "Range: bytes=-0", 416, 0, 0 },
            { "Range: chunks=0-1", 200, 0, int.MaxValue },
            { "Range: bytes=9-5", 200, 0, int.MaxValue },
            { "Range: bytes=a-b", 200, 0, int.MaxValue },
            { "Range: bytes=0-1,5-6", 200, 0, int.MaxValue },
            { $"If-None-Match: {Current}", 304, 0, 0 },
            { $"If-None-Match: W/{Current}", 304, 0, 0 },
            { $"If-None-Match: \"x\", {Current}", 304, 0, 0 },
            { "If-None-Match: *", 304, 0, 0 },
            { "If-None-Match: \"x\"", 200, 0, int.MaxValue },
            { $"If-None-Match: {Current} | Range: bytes=0-0", 304, 0, 0 },
            { $"If-None-Match: {Current} | Range: bytes=100000-", 304, 0, 0 },
            { $"If-Match: {Current}", 200, 0, int.MaxValue },
            { "If-Match: *", 200, 0, int.MaxValue },
            { "If-Match: \"x\"", 412, 0, 0 },
            { $"If-Match: W/{Current}", 412, 0, 0 },
            { $"If-Match: {Current} | Range: bytes=0-9", 206, 0, 10 },
            { "If-Match: \"x\" | Range: bytes=0-9", 412, 0, 0 },
            { $"If-Range: {Current} | Range: bytes=5-9", 206, 5, 5 },
            { "If-Range: \"x\" | Range: bytes=5-9", 200, 0, int.MaxValue },
            { $"If-Range: W/{Current} | Range: bytes=5-9", 200, 0, int.MaxValue },
            { "If-Range: Wed, 01 Jan 2025 00:00:00 GMT | Range: bytes=5-9", 200, 0, int.MaxValue },
            { "If-Range: \"x\" | Range: bytes=100000-", 200, 0, int.MaxValue },
        };

    [Theory]
    [MemberData(nameof(Conditions))]
    public async Task A_conditional_request_is_answered_as_the_RFC_says(string headers, int status, int first, int count)
    {
        foreach (var (path, whole, tag) in Representations(await StoredAsync()))
        {
            var lines = headers
                .Replace(Current, tag, StringComparison.Ordinal)
                .Split(" | ", StringSplitOptions.RemoveEmptyEntries);
            using var response = await nodes.Leader.SendAsync(
                HttpMethod.Get,
                path,
                [.. lines.Select(line => line.Split(": ", 2)).Select(parts => (parts[0], parts[1]))]
            );

            ((int)response.StatusCode).ShouldBe(status, path);
            response.Headers.ETag!.ToString().ShouldBe(tag);
            response.Headers.AcceptRanges.ShouldBe(["bytes"]);
            var body = await response.Content.ReadAsByteArrayAsync();
            switch (status)
            {
                case 200 or 206:
                    var from = first < 0 ? whole.Length + first : first;
                    var expected = whole[from..(int)Math.Min(whole.Length, (long)from + count)];
                    body.ShouldBe(expected);
                    response.Content.Headers.ContentLength.ShouldBe(expected.Length);
                    response.Content.Headers.ContentType!.MediaType.ShouldBe("application/octet-stream");
                    response
                        .Content.Headers.ContentRange?.ToString()
                        .ShouldBe(status == 206 ? $"bytes {from}-{from + expected.Length - 1}/{whole.Length}" : null);
                    break;
                case 304:
                    body.ShouldBeEmpty();
                    break;
                case 412:
                    await response.ShouldBeProblemAsync(412, "precondition-failed");
                    break;
                case 416:
                    response.Content.Headers.ContentRange!.ToString().ShouldBe($"bytes */{whole.Length}");
                    await response.ShouldBeProblemAsync(416, "range-unsatisfiable", lines[0].Split('=')[1]);
                    break;
            }
        }
    }

    [Fact]
    public async Task HEAD_tells_what_GET_would_and_ignores_Range()
    {
        foreach (var (path, whole, _) in Representations(await StoredAsync()))
        {
            using var get = await nodes.Leader.SendAsync(HttpMethod.Get, path);
            using var head = await nodes.Leader.SendAsync(HttpMethod.Head, path);
            using var headOfRange = await nodes.Leader.SendAsync(HttpMethod.Head, path, ("Range", "bytes=0-9"));

            var expected = HeadersOf(get);
            expected.ShouldContain($"Content-Length: {whole.Length}");
            foreach (var response in new[] { head, headOfRange })
            {
                response.StatusCode.ShouldBe(HttpStatusCode.OK);
                HeadersOf(response).ShouldBe(expected);
                (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
            }
        }
    }

    [Fact]
    public async Task Every_node_names_the_representations_of_a_file_alike()
    {
        var file = await StoredAsync();
        await TestCluster.StoredAsync(nodes.Follower, file.Key);
        foreach (var (path, whole, tag) in Representations(file))
        {
            using var response = await nodes.Follower.SendAsync(HttpMethod.Get, path);

            response.Headers.ETag!.ToString().ShouldBe(tag);
            (await response.Content.ReadAsByteArrayAsync()).ShouldBe(whole);
        }
    }

    [Fact]
    public async Task A_raw_content_comes_with_its_digest()
    {
        var file = await StoredAsync();
        var digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(file.Content))}:";

        foreach (
            var (method, range) in ((HttpMethod, string)[])
                [(HttpMethod.Get, ""), (HttpMethod.Head, ""), (HttpMethod.Get, "bytes=5-9")]
        )
        {
            (await DigestAsync(file, method, range == "" ? [] : [("Range", range)])).ShouldBe(digest);
        }
    }

    [Fact]
    public async Task A_large_raw_content_comes_with_its_digest_when_that_is_wanted()
    {
        var file = PlainFile.Random(3_000_000);
        await nodes.Leader.StoreAsync(file);
        var digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(file.Content))}:";

        (await DigestAsync(file, HttpMethod.Head)).ShouldBeNull();
        (await DigestAsync(file, HttpMethod.Head, ("Want-Repr-Digest", "sha-512=9"))).ShouldBeNull();
        (await DigestAsync(file, HttpMethod.Head, ("Want-Repr-Digest", "sha-256=0"))).ShouldBeNull();
        (await DigestAsync(file, HttpMethod.Head, ("Want-Repr-Digest", "sha-512=3, sha-256=10"))).ShouldBe(digest);
    }

    [Theory]
    [InlineData("download/{0}")]
    [InlineData("v1/files/{0}/content")]
    [InlineData("v1/files/{0}/hashes")]
    public async Task A_file_that_cannot_be_read_is_answered_with_its_state(string route)
    {
        var (unknown, wanted, removed) = (PlainFile.Random(10), PlainFile.Random(10), PlainFile.Random(10));
        await nodes.Leader.RegisterAsync(wanted);
        await nodes.Leader.StoreAsync(removed);
        using (await nodes.Leader.Http.DeleteAsync($"/v1/files/{removed.Key}")) { }

        async Task<HttpResponseMessage> GetAsync(NodeProcess node, PlainFile file) =>
            await node.Http.GetAsync(string.Format(null, "/" + route, file.Key));

        using var ofUnknown = await GetAsync(nodes.Leader, unknown);
        await ofUnknown.ShouldBeProblemAsync(404, "file-unknown", unknown.Key);
        using var ofWanted = await GetAsync(nodes.Leader, wanted);
        (await ofWanted.ShouldBeProblemAsync(409, "file-not-stored", wanted.Key))
            .GetProperty("state")
            .GetString()
            .ShouldBe("wanted");
        using var ofAbsent = await GetAsync(nodes.Follower, wanted);
        (await ofAbsent.ShouldBeProblemAsync(409, "file-not-stored", wanted.Key))
            .GetProperty("state")
            .GetString()
            .ShouldBe("absent");
        using var ofRemoved = await GetAsync(nodes.Leader, removed);
        (await ofRemoved.ShouldBeProblemAsync(404, "file-removed", removed.Key))
            .GetProperty("state")
            .GetString()
            .ShouldBe("removed");
    }

    private async Task<string?> DigestAsync(PlainFile file, HttpMethod method, params (string Name, string Value)[] headers)
    {
        using var response = await nodes.Leader.SendAsync(method, $"/v1/files/{file.Key}/content", headers);
        response.IsSuccessStatusCode.ShouldBeTrue();
        return response.Headers.TryGetValues("Repr-Digest", out var values) ? values.ShouldHaveSingleItem() : null;
    }

    /// <summary>Five chunks, of which the last is so short that it stands for itself in the hashes.</summary>
    private async Task<PlainFile> StoredAsync()
    {
        var file = PlainFile.Random((4 * 1024) + 20);
        await nodes.Leader.StoreAsync(file);
        return file;
    }

    private static (string Path, byte[] Whole, string Tag)[] Representations(PlainFile file) =>
        [
            ($"/download/{file.Key}", file.Framed, $"\"{file.Key}\""),
            ($"/v1/files/{file.Key}/content", file.Content, $"\"{file.Fingerprint}\""),
            ($"/v1/files/{file.Key}/hashes", file.Hashes, $"\"{file.Fingerprint}.hashes\""),
        ];

    private static List<string> HeadersOf(HttpResponseMessage response) =>
        [
            .. response
                .Headers.Concat(response.Content.Headers)
                .Where(header => header.Key is not ("Date" or "X-Request-Id" or "X-Request-ID"))
                .Select(header => $"{header.Key}: {string.Join(", ", header.Value)}")
                .Order(StringComparer.Ordinal),
        ];
}
