using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Hosting;

/// <summary>The description is enough to write a client from.</summary>
[Collection(SharedNodes.Name)]
public sealed class SwaggerDocumentTests(RunningCluster nodes)
{
    private const string Problem = "application/problem+json";

    /// <summary>A node answers the same for as long as it runs: once is enough for these facts.</summary>
    private static JsonElement? _document;

    /// <summary>Route, parameters, statuses without 401, 403, 429, 500 and 503, which all but the health routes have.</summary>
    public static TheoryData<string, string, string> Routes =>
        new()
        {
            { "POST /upload/{file_key}", "file_key", "200 400 404 408 415 421 422 507" },
            { "GET /download/{file_key}", "file_key If-Match If-None-Match If-Range Range", "200 206 304 400 404 409 412 416" },
            { "HEAD /download/{file_key}", "file_key If-Match If-None-Match", "200 304 400 404 409 412" },
            { "GET /v1/files", "after bucket limit location owner state", "200 400" },
            { "POST /v1/files", "bucket location locationHex owner", "200 201 400 404 408 409 415 421 422 507" },
            { "POST /v1/files/batch", "", "200 408 415 421 507" },
            { "GET /v1/ingest", "after folder limit", "200 400" },
            { "GET /v1/files/{key}", "key", "200 400 404" },
            { "PUT /v1/files/{key}", "key", "200 201 400 409 415 422" },
            { "DELETE /v1/files/{key}", "key now", "200 204 400 404 409 421" },
            { "POST /v1/files/{key}/restore", "key", "200 201 400 404 409 421" },
            { "GET /v1/files/{key}/content", "If-Match If-None-Match If-Range key Range", "200 206 304 400 404 409 412 416" },
            { "HEAD /v1/files/{key}/content", "If-Match If-None-Match key", "200 304 400 404 409 412" },
            { "GET /v1/files/{key}/hashes", "If-Match If-None-Match If-Range key Range", "200 206 304 400 404 409 412 416" },
            { "HEAD /v1/files/{key}/hashes", "If-Match If-None-Match key", "200 304 400 404 409 412" },
            { "GET /v1/files/{key}/parts", "key", "200 400 404 409" },
            { "POST /v1/sync/deliveries", "", "200 400 415" },
            { "GET /v1/sync/cursors", "after buckets wait", "200 400 409" },
            { "GET /v1/sync/bins/{bin}", "bin bucket from limit to wait", "200 400 409 410" },
            { "GET /v1/sync/bins/{bin}/files", "after bin bucket limit prefix", "200 400 409" },
            { "GET /v1/sync/bins/{bin}/digests", "bin bucket prefix", "200 400 409" },
            { "GET /v1/sync/{upstream}/kept", "upstream", "200 404 421" },
            { "POST /v1/sync/{upstream}/accept", "upstream", "200 404 421" },
            { "POST /v1/sync/{upstream}/keep", "upstream", "200 404 421" },
            { "POST /v1/sync/{upstream}/compare", "upstream", "200 404 421 502" },
            { "POST /v1/sync/{upstream}/resync", "upstream", "200 404 421 502" },
            { "GET /v1/sync/status", "", "200 421" },
            { "DELETE /v1/sync/requests/{id}", "id", "204 400 404 409" },
            { "GET /v1/health", "", "200" },
            { "GET /v1/tokens", "", "200" },
            { "POST /v1/tokens", "", "201 400 409 415" },
            { "DELETE /v1/tokens/{name}", "name", "204 404" },
            { "GET /v1/trust", "", "200" },
            { "GET /v1/trust/{node}", "node", "200 400 404" },
            { "PUT /v1/trust/{node}", "node", "200 400 415" },
            { "DELETE /v1/trust/{node}", "cluster node", "204 400 404" },
            { "GET /v1/audit", "about before limit", "200 400" },
            { "GET /v1/history", "hours", "200 400" },
            { "GET /v1/changes", "after wait", "200 400 410" },
            { "GET /v1/queue", "", "200" },
            { "GET /v1/uploads", "", "200" },
            { "GET /v1/followers", "", "200 421" },
            { "PUT /v1/followers/{name}", "name", "200 201 400 415 421" },
            { "DELETE /v1/followers/{name}", "name", "200 404 421" },
            { "POST /v1/shipments", "", "200 409 415 421 422" },
            { "POST /v1/shipments/handshake", "", "200 400 415 421 422" },
            { "POST /v1/exports", "", "201 400 409 415" },
            { "GET /v1/exports", "", "200" },
            { "GET /v1/exports/{name}", "name", "200 404" },
            { "DELETE /v1/exports/{name}", "name", "200 404" },
            { "GET /v1/loads", "after", "200 400" },
            { "PUT /v1/loads/{name}", "name", "200 201 400 404 409 415 422" },
            { "GET /v1/loads/{name}", "labels name", "200 404" },
            { "DELETE /v1/loads/{name}", "name", "200 404" },
            { "GET /v1/loads/{name}/events", "Last-Event-ID name", "200 404" },
            { "GET /v1/limits", "", "200" },
            { "GET /v1/configuration", "", "200" },
            { "GET /v1/caller", "", "200" },
            { "PUT /v1/limits", "", "200 400 415 422" },
            { "DELETE /v1/limits", "", "200" },
            { "GET /v1/files/{key}/explain", "key", "200 400 404" },
            { "POST /v1/files/{key}/retry", "key", "200 400 404" },
            { "POST /v1/retry", "cause", "200 400" },
            { "GET /v1/downloads/pauses", "", "200" },
            { "POST /v1/downloads/pause", "dryRun", "200 400 415" },
            { "POST /v1/downloads/resume", "dryRun", "200 400 415" },
            { "POST /v1/leader/handover", "", "200 409 421" },
            { "POST /v1/drain", "", "202" },
            { "PUT /v1/files/{key}/priority", "key", "200 400 415" },
            { "POST /v1/files/{key}/cancel", "key", "200 400 404 409" },
            { "PUT /v1/buckets/{bucket}/priority", "bucket dryRun", "200 400 415" },
            { "GET /v1/buckets/{bucket}/health", "bucket", "200 400" },
            { "PUT /v1/buckets/{bucket}/copies", "bucket", "200 400 415" },
            { "DELETE /v1/buckets/{bucket}/copies", "bucket", "200 400" },
            { "GET /v1/quotas", "after", "200 400" },
            { "GET /v1/buckets/{bucket}/quota", "bucket", "200 400 404" },
            { "PUT /v1/buckets/{bucket}/quota", "bucket", "200 400 415" },
            { "DELETE /v1/buckets/{bucket}/quota", "bucket", "204 400 404" },
            { "GET /v1/nodes/{node}/evacuate", "node", "200 400 404" },
            { "POST /v1/nodes/{node}/evacuate", "dryRun node", "200 400 404" },
            { "DELETE /v1/nodes/{node}/evacuate", "node", "200 400 404" },
            { "GET /v1/workers", "", "200" },
            { "PUT /v1/workers/{worker}", "worker", "200 400 404 415" },
            { "POST /v1/workers/{worker}/pause", "worker", "200 400 404 415" },
            { "POST /v1/workers/{worker}/resume", "worker", "200 404" },
            { "GET /v1/sources", "", "200" },
            { "POST /v1/sources/{name}/adopt", "bucket name readd", "200 400 404 502" },
            { "GET /v1/files/{key}/events", "key Last-Event-ID", "200 400 404" },
            { "POST /v1/files/{key}/damage", "key", "200 202 400 404 409 415" },
            { "POST /v1/files/{key}/fetch", "id key", "200 201 400 404" },
            { "GET /v1/files/{key}/fetch/{id}", "id key", "200 400 404" },
            { "DELETE /v1/files/{key}/fetch/{id}", "id key", "200 400 404" },
            { "GET /v1/events", "Last-Event-ID", "200" },
            { "GET /v1/buckets", "after", "200 400" },
            { "GET /v1/buckets/{bucket}/policy", "bucket", "200 400" },
            { "PUT /v1/buckets/{bucket}/policy", "bucket prune wait", "200 202 400 415 422" },
            { "DELETE /v1/buckets/{bucket}/policy", "bucket wait", "200 202 400" },
            { "GET /v1/buckets/{bucket}/missing", "bucket", "200 400" },
            { "GET /v1/scrub", "", "200" },
            { "POST /v1/scrub", "", "202 400 404 409 415" },
            { "DELETE /v1/scrub", "", "200" },
            { "GET /v1/orphans", "", "200" },
            { "DELETE /v1/orphans", "", "200" },
            { "DELETE /v1/orphans/hold", "", "204" },
            { "GET /v1/reconcile/folder", "prove", "200 400" },
            { "DELETE /v1/reconcile/folder/{key}", "key", "204 400 409" },
            { "GET /v1/reconcile/catalog", "", "200 421" },
            { "POST /v1/reconcile", "", "200 400 415 421 422" },
            { "GET /v1/proof", "asks nonce", "204" },
            { "GET /v1/peers", "", "200" },
            { "POST /v1/gossip", "", "200 400 401 413 415 429" },
            { "GET /v1/leader", "", "200" },
            { "GET /v1/nodes", "", "200" },
            { "DELETE /v1/nodes/{node}", "node", "200 400 404 409" },
            { "GET /health/live", "", "200" },
            { "HEAD /health/live", "", "200" },
            { "GET /health/ready", "", "200" },
            { "HEAD /health/ready", "", "200" },
            { "GET /health/startup", "", "200" },
            { "HEAD /health/startup", "", "200" },
            { "GET /health/cluster/read", "", "200" },
            { "HEAD /health/cluster/read", "", "200" },
            { "GET /health/cluster", "", "200" },
            { "HEAD /health/cluster", "", "200" },
            { "GET /health/leader", "", "200" },
            { "HEAD /health/leader", "", "200" },
        };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_route_is_described_with_its_parameters_and_every_status(string route, string parameters, string statuses)
    {
        var operation = (await OperationsAsync())[route];
        var problems = (await DocumentAsync()).GetProperty("components").GetProperty("responses");
        var isHealth = route.Contains(" /health", StringComparison.Ordinal) || route.EndsWith("/proof", StringComparison.Ordinal);
        var isForAnybody = isHealth || route.EndsWith("/gossip", StringComparison.Ordinal);
        string[] always = isForAnybody ? ["500"] : ["401", "403", "429", "500", "503"];

        operation.GetProperty("summary").GetString().ShouldNotBeNullOrEmpty();
        var described = operation.TryGetProperty("parameters", out var list) ? list.EnumerateArray().ToList() : [];
        described
            .Select(parameter => parameter.GetProperty("name").GetString())
            .Order(StringComparer.OrdinalIgnoreCase)
            .ShouldBe(parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        foreach (var parameter in described)
        {
            parameter.GetProperty("description").GetString().ShouldNotBeNullOrEmpty($"{parameter}");
        }

        var responses = operation.GetProperty("responses").EnumerateObject().ToList();
        responses
            .Select(response => response.Name)
            .Where(status => !isHealth || status != "503")
            .Order(StringComparer.Ordinal)
            .ShouldBe(statuses.Split(' ').Concat(always).Order(StringComparer.Ordinal));
        foreach (var response in responses.Where(response => response.Name[0] is '4' or '5' && !isHealth))
        {
            var problem = problems.GetProperty(response.Value.GetProperty("$ref").GetString()!.Split('/')[^1]);
            problem.GetProperty("description").GetString()!.ShouldContain("urn:filetransfer:problem:");
            problem.GetProperty("content").TryGetProperty(Problem, out _).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task No_route_is_missing_from_these_facts()
    {
        var known = Routes.Select(row => row.Data.Item1).Order(StringComparer.Ordinal);

        (await OperationsAsync()).Keys.Order(StringComparer.Ordinal).ShouldBe(known);
    }

    [Theory]
    [InlineData("POST /upload/{file_key}")]
    [InlineData("POST /v1/files")]
    public async Task A_body_of_octets_is_described_as_binary(string route)
    {
        var body = (await OperationsAsync())[route].GetProperty("requestBody");

        body.GetProperty("required").GetBoolean().ShouldBeTrue();
        body.GetProperty("description").GetString().ShouldNotBeNullOrEmpty();
        IsBinary(body).ShouldBeTrue();
    }

    [Theory]
    [InlineData("GET /download/{file_key}")]
    [InlineData("GET /v1/files/{key}/content")]
    [InlineData("GET /v1/files/{key}/hashes")]
    public async Task An_answer_of_octets_is_described_as_binary(string route)
    {
        var responses = (await OperationsAsync())[route].GetProperty("responses");

        IsBinary(responses.GetProperty("200")).ShouldBeTrue();
        IsBinary(responses.GetProperty("206")).ShouldBeTrue();
        responses.GetProperty("304").TryGetProperty("content", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_registration_is_described_member_by_member_with_examples()
    {
        var document = await DocumentAsync();
        var operation = (await OperationsAsync())["PUT /v1/files/{key}"];
        var reference = operation
            .GetProperty("requestBody")
            .GetProperty("content")
            .GetProperty("application/json")
            .GetProperty("schema")
            .GetProperty("allOf")[0]
            .GetProperty("$ref")
            .GetString()!;

        var schema = document.GetProperty("components").GetProperty("schemas").GetProperty(reference.Split('/')[^1]);
        var members = schema
            .GetProperty("properties")
            .EnumerateObject()
            .ToDictionary(member => member.Name, member => member.Value);
        members
            .Keys.Order(StringComparer.Ordinal)
            .ShouldBe(["bucket", "fingerprint", "location", "locationHex", "owner", "size"]);
        foreach (var (name, member) in members)
        {
            member.GetProperty("description").GetString().ShouldNotBeNullOrEmpty(name);
            (name == "locationHex" || member.TryGetProperty("example", out _)).ShouldBeTrue($"{name} has no example");
        }
    }

    [Theory]
    [InlineData("GET /v1/files/{key}", "200")]
    [InlineData("PUT /v1/files/{key}", "201")]
    [InlineData("GET /v1/files", "200")]
    [InlineData("GET /v1/files/{key}/explain", "200")]
    [InlineData("POST /v1/files/{key}/fetch", "201")]
    [InlineData("GET /v1/files/{key}/fetch/{id}", "200")]
    [InlineData("DELETE /v1/files/{key}/fetch/{id}", "200")]
    [InlineData("GET /v1/buckets/{bucket}/policy", "200")]
    [InlineData("PUT /v1/buckets/{bucket}/policy", "200")]
    [InlineData("GET /v1/leader", "200")]
    [InlineData("GET /v1/limits", "200")]
    [InlineData("PUT /v1/limits", "200")]
    [InlineData("DELETE /v1/limits", "200")]
    [InlineData("GET /v1/nodes", "200")]
    [InlineData("GET /v1/sync/cursors", "200")]
    [InlineData("GET /v1/sync/bins/{bin}", "200")]
    public async Task An_answer_of_JSON_is_described_by_its_schema(string route, string status) =>
        (await OperationsAsync())[route]
            .GetProperty("responses")
            .GetProperty(status)
            .GetProperty("content")
            .GetProperty("application/json")
            .GetProperty("schema")
            .GetProperty("$ref")
            .GetString()
            .ShouldNotBeNullOrEmpty();

    [Fact]
    public async Task Keys_come_with_an_example()
    {
        foreach (var (route, operation) in await OperationsAsync())
        {
            var keys = operation.TryGetProperty("parameters", out var parameters)
                ? parameters.EnumerateArray().Where(parameter => parameter.GetProperty("in").GetString() == "path")
                : [];
            foreach (var key in keys)
            {
                var length = key.GetProperty("name").GetString() switch
                {
                    "id" => 36,
                    "node" => "node-c".Length,
                    "upstream" => "north".Length,
                    "bin" => 1,
                    "worker" => "orphans".Length,
                    "name" => (
                        route.Contains("loads", StringComparison.Ordinal) ? "state-17"
                        : route.Contains("sources", StringComparison.Ordinal)
                        || route.Contains("exports", StringComparison.Ordinal)
                            ? "mirror"
                        : "archive"
                    ).Length,
                    _ => 66,
                };
                key.GetProperty("example").ToString().Length.ShouldBe(length, route);
            }
        }
    }

    private async Task<JsonElement> DocumentAsync() => _document ??= await nodes.Leader.GetJsonAsync("/swagger/v1/swagger.json");

    private async Task<Dictionary<string, JsonElement>> OperationsAsync() =>
        (await DocumentAsync())
            .GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => (path.Name, Method: method)))
            .ToDictionary(one => $"{one.Method.Name.ToUpperInvariant()} {one.Name}", one => one.Method.Value);

    private static bool IsBinary(JsonElement described) =>
        described
            .GetProperty("content")
            .GetProperty("application/octet-stream")
            .GetProperty("schema")
            .GetProperty("format")
            .GetString() == "binary";
}
