using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Hosting.Access;

/// <summary>Tokens are made and revoked while the cluster runs, at any node for all of them.</summary>
public sealed class StoredTokenTests
{
    private static readonly (string, string)[] _settings =
    [
        ("FileTransfer__Tokens__0__Name", "root"),
        ("FileTransfer__Tokens__0__Sha256", Convert.ToHexStringLower(SHA256.HashData("root-token"u8))),
        ("FileTransfer__Tokens__0__Scopes__0", "admin"),
    ];

    [Thorough]
    [Fact]
    public async Task A_token_made_at_one_node_opens_all_until_it_is_revoked_or_its_time_is_up_and_its_streams_end()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var (a, b) = (await cluster.StartAsync("a", _settings), await cluster.StartAsync("b", _settings));
        var made = await CreateAsync(a, new { name = "ci", scopes = new[] { "write" } });
        var token = made.GetProperty("token").GetString()!;
        token.ShouldStartWith("ft_");
        token.Length.ShouldBeGreaterThan(40);
        using (
            var again = await SendAsync(
                b,
                HttpMethod.Post,
                "/v1/tokens",
                "root-token",
                new { name = "ci", scopes = new[] { "read" } }
            )
        )
        {
            await again.ShouldBeProblemAsync(409, "token-exists", "ci");
        }

        (await StatusAsync(a, "/v1/files", token)).ShouldBe(HttpStatusCode.OK);
        await IsAnsweredAsync(b, token, HttpStatusCode.OK);
        (await StatusAsync(b, "/v1/tokens", token)).ShouldBe(HttpStatusCode.Forbidden);
        await Eventually.HoldsAsync(
            async () => (await ListAsync(a)).Single().GetProperty("lastUsedAt").ValueKind == JsonValueKind.String,
            "it is told when the token was used"
        );
        (
            await cluster.Database.ScalarAsync<string>("SELECT string_agg(t::text, ' ') FROM filetransfer.tokens t")
        )!.ShouldNotContain(token);

        using var stream = await OpenStreamAsync(b, token);
        using (var revoked = await SendAsync(a, HttpMethod.Delete, "/v1/tokens/ci", "root-token"))
        {
            revoked.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        }

        (await StatusAsync(a, "/v1/files", token)).ShouldBe(HttpStatusCode.Unauthorized);
        await EndedAsync(stream);
        (await StatusAsync(b, "/v1/files", token)).ShouldBe(HttpStatusCode.Unauthorized);
        using (var unknown = await SendAsync(a, HttpMethod.Delete, "/v1/tokens/ci", "root-token"))
        {
            await unknown.ShouldBeProblemAsync(404, "token-unknown", "ci");
        }

        var brief = await CreateAsync(
            b,
            new
            {
                name = "brief",
                scopes = new[] { "read" },
                notAfter = DateTimeOffset.UtcNow.AddSeconds(6),
            }
        );
        using var briefStream = await OpenStreamAsync(b, brief.GetProperty("token").GetString()!);
        await EndedAsync(briefStream);
        (await StatusAsync(b, "/v1/files", brief.GetProperty("token").GetString())).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Thorough]
    [Fact]
    public async Task A_token_for_a_bucket_reads_writes_and_removes_there_and_nowhere_else()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("a", _settings[..0]);
        var mine = await node.PutAsync("mine"u8.ToArray(), "mine");
        var guarded = await cluster.StartAsync("b", [.. _settings, ("FileTransfer__ForwardWrites", "true")]);
        var made = await CreateAsync(
            guarded,
            new
            {
                name = "tenant",
                scopes = new[] { "write" },
                buckets = new[] { "0x02" },
            }
        );
        var token = made.GetProperty("token").GetString();
        var others = PlainFile.Random(10);
        await node.RegisterAsync(others);

        foreach (var path in (string[])[$"/v1/files/{mine}", "/v1/files?bucket=02", "/v1/buckets/0x02/policy"])
        {
            (await StatusAsync(guarded, path, token)).ShouldBe(HttpStatusCode.OK, path);
        }

        string[] closed =
        [
            "/v1/files",
            $"/v1/files/{others.Key}",
            $"/download/{others.Key}",
            "/v1/files?bucket=0x03",
            "/v1/events",
            "/v1/changes",
        ];
        foreach (var path in closed)
        {
            using var refused = await SendAsync(guarded, HttpMethod.Get, path, token);
            await refused.ShouldBeProblemAsync(403, "forbidden", "tenant", "0x02");
        }

        using var register = await SendAsync(guarded, HttpMethod.Put, $"/v1/files/{PlainFile.Random(1).Key}", token, new { });
        register.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var remove = await SendAsync(guarded, HttpMethod.Delete, $"/v1/files/{others.Key}", token);
        remove.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_token_for_an_owner_is_kept_to_its_files_and_knowing_a_fingerprint_opens_no_content()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartAsync("a", _settings);
        await Eventually.HoldsAsync(
            async () => await StatusAsync(node, "/health/leader", "root-token") == HttpStatusCode.OK,
            "a leads"
        );
        byte[] bucket = [2];
        var (mine, foreign) = (
            new PlainFile("mine"u8.ToArray(), bucket: bucket, owner: [1]),
            new PlainFile("theirs"u8.ToArray(), bucket: bucket, owner: [9])
        );
        foreach (var file in (PlainFile[])[mine, foreign])
        {
            (await PutAsync(file, "root-token")).ShouldBe(HttpStatusCode.Created);
        }

        var made = await CreateAsync(
            node,
            new
            {
                name = "owner-1",
                scopes = new[] { "write" },
                buckets = new[] { "02", "0x03" },
                owners = new[] { "0x01" },
            }
        );
        made.GetProperty("owners")[0].GetString().ShouldBe("0x01");
        var token = made.GetProperty("token").GetString()!;

        (await StatusAsync(node, $"/v1/files/{mine.Key}", token)).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(node, "/v1/files?bucket=0x02&owner=0x01", token)).ShouldBe(HttpStatusCode.OK);
        string[] closed =
        [
            $"/v1/files/{foreign.Key}",
            "/v1/files?bucket=0x02",
            "/v1/files?owner=0x01",
            "/v1/files?bucket=0x02&owner=0x09",
            "/v1/buckets/0x02/policy",
        ];
        foreach (var path in closed)
        {
            using var refused = await SendAsync(node, HttpMethod.Get, path, token);
            await refused.ShouldBeProblemAsync(403, "forbidden", "owner-1", "owners 0x01");
        }

        using (var caller = await SendAsync(node, HttpMethod.Get, "/v1/caller", token))
        {
            var told = await caller.Content.ReadFromJsonAsync<JsonElement>();
            told.GetProperty("name").GetString().ShouldBe("owner-1");
            told.GetProperty("scopes").EnumerateArray().Select(one => one.GetString()).ShouldBe(["write", "read"]);
            told.GetProperty("buckets").EnumerateArray().Select(one => one.GetString()).ShouldBe(["0x02", "0x03"]);
            told.GetProperty("owners").EnumerateArray().Select(one => one.GetString()).ShouldBe(["0x01"]);
        }

        // Without a byte: what it may read it may have under another name, and nothing else.
        var again = new PlainFile(mine.Content, bucket: [3], owner: [1]);
        var stolen = new PlainFile(foreign.Content, bucket: bucket, owner: [1]);
        var notMine = new PlainFile(mine.Content, bucket: bucket, owner: [9]);
        (await RegisterAsync(again)).ShouldBe(HttpStatusCode.Created);
        (await StatusAsync(node, $"/v1/files/{again.Key}/content", token)).ShouldBe(HttpStatusCode.OK);
        using (var refused = await SendAsync(node, HttpMethod.Put, $"/v1/files/{stolen.Key}", token, stolen.Metadata()))
        {
            await refused.ShouldBeProblemAsync(403, "forbidden", stolen.Fingerprint, "POST /v1/files");
        }

        (await RegisterAsync(notMine)).ShouldBe(HttpStatusCode.Forbidden);
        (await StatusAsync(node, $"/v1/files/{stolen.Key}", "root-token")).ShouldBe(HttpStatusCode.NotFound);
        (await PutAsync(stolen, token)).ShouldBe(HttpStatusCode.Created, "who has the bytes may send them");

        async Task<HttpStatusCode> RegisterAsync(PlainFile file)
        {
            using var answer = await SendAsync(node, HttpMethod.Put, $"/v1/files/{file.Key}", token, file.Metadata());
            return answer.StatusCode;
        }

        async Task<HttpStatusCode> PutAsync(PlainFile file, string by)
        {
            var path =
                $"/v1/files?owner={PlainFile.Hex(file.Owner)}&bucket={PlainFile.Hex(file.Bucket)}&locationHex={PlainFile.Hex(file.Location)}";
            using var request = Request(HttpMethod.Post, path, by);
            request.Content = new ByteArrayContent(file.Content);
            using var answer = await node.Http.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Theory]
    [InlineData("""{ "name": "a b", "scopes": ["read"] }""", "a b")]
    [InlineData("""{ "name": "ci", "scopes": ["root"] }""", "root")]
    [InlineData("""{ "name": "ci", "scopes": [] }""", "scopes")]
    [InlineData("""{ "name": "ci", "scopes": ["read"], "notAfter": "2020-01-01T00:00:00Z" }""", "2020-01-01")]
    public async Task What_makes_no_token_is_refused_and_named(string body, string named)
    {
        await using var server = await RunningServer.StartAsync();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var refused = await server.Client.PostAsync("/v1/tokens", content);

        await refused.ShouldBeProblemAsync(400, "bad-request", named);
    }

    private static async Task<JsonElement> CreateAsync(NodeProcess node, object request)
    {
        using var made = await SendAsync(node, HttpMethod.Post, "/v1/tokens", "root-token", request);
        made.StatusCode.ShouldBe(HttpStatusCode.Created, await made.Content.ReadAsStringAsync());
        return await made.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static async Task<IReadOnlyList<JsonElement>> ListAsync(NodeProcess node)
    {
        using var listed = await SendAsync(node, HttpMethod.Get, "/v1/tokens", "root-token");
        return [.. (await listed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("tokens").EnumerateArray()];
    }

    private static async Task<HttpStatusCode> StatusAsync(NodeProcess node, string path, string? token)
    {
        using var answer = await SendAsync(node, HttpMethod.Get, path, token);
        return answer.StatusCode;
    }

    private static Task IsAnsweredAsync(NodeProcess node, string token, HttpStatusCode status) =>
        Eventually.HoldsAsync(async () => await StatusAsync(node, "/v1/files", token) == status, $"{node.Id} answers {status}");

    private static async Task<Stream> OpenStreamAsync(NodeProcess node, string token)
    {
        using var request = Request(HttpMethod.Get, "/v1/events", token);
        var answer = await node.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await answer.Content.ReadAsStreamAsync();
    }

    private static async Task EndedAsync(Stream stream)
    {
        var end = Should.ThrowAsync<Exception>(async () =>
        {
            await stream.CopyToAsync(Stream.Null);
            throw new EndOfStreamException();
        });
        (await end.WaitAsync(TimeSpan.FromSeconds(60))).ShouldBeAssignableTo<IOException>();
    }

    private static async Task<HttpResponseMessage> SendAsync(
        NodeProcess node,
        HttpMethod method,
        string path,
        string? token,
        object? body = null
    )
    {
        using var request = Request(method, path, token);
        request.Content = body is null ? null : JsonContent.Create(body);
        return await node.Http.SendAsync(request);
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, string? token)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return request;
    }
}
