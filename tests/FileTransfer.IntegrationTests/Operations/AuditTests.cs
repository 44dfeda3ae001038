using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>Who changed something, or was refused, is known to the whole cluster.</summary>
public sealed class AuditTests : IAsyncLifetime
{
    private const string Limits = "/v1/limits";

    private TestDatabase _database = null!;
    private RunningServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await PostgresCluster.CreateDatabaseAsync();
        _server = await RunningServer.StartAsync(
            RunningServer.Tokens(RunningServer.Token("viewer", "read"), RunningServer.Token("operator", "admin")),
            null,
            $"--ConnectionStrings:Postgres={_database.ConnectionString}"
        );
        await Eventually.HoldsAsync(
            async () => (await SendAsync(HttpMethod.Get, "/v1/audit", "viewer")).IsSuccessStatusCode,
            "the database is ready"
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task What_was_changed_and_what_was_refused_is_listed_by_token_address_route_and_outcome()
    {
        await SendAsync(HttpMethod.Get, "/v1/nodes", "viewer");
        await SendAsync(HttpMethod.Put, Limits, "operator", JsonContent.Create(new { download = "5MiB/s" }));
        await SendAsync(HttpMethod.Delete, Limits, "viewer");
        await SendAsync(HttpMethod.Delete, "/v1/nodes/node-z?x=1", token: null);
        await SendAsync(HttpMethod.Delete, "/v1/nodes/node-z", "operator");
        await SendAsync(HttpMethod.Post, "/v1/sync/deliveries", "operator");

        var entries = await EntriesAsync(4);

        entries
            .Select(entry =>
                string.Join(' ', Text(entry, "who"), Text(entry, "action"), entry.GetProperty("status"), Text(entry, "problem"))
            )
            .ShouldBe([
                "operator DELETE /v1/nodes/{node} 404 node-unknown",
                " DELETE /v1/nodes/{node} 401 unauthenticated",
                "viewer DELETE /v1/limits 403 forbidden",
                "operator PUT /v1/limits 200 ",
            ]);
        Text(entries[1], "target").ShouldBe("/v1/nodes/node-z?x=1");
        entries.ShouldAllBe(entry => IPAddress.IsLoopback(IPAddress.Parse(Text(entry, "address"))));
        entries.ShouldAllBe(entry => Text(entry, "requestId") != "" && Text(entry, "node") != "");

        var first = await PageAsync("?limit=3");
        Entries(first).Count.ShouldBe(3);
        var second = await PageAsync($"?limit=3&before={first.GetProperty("next").GetInt64()}");
        Entries(second).Select(entry => Text(entry, "action")).ShouldBe(["PUT /v1/limits"]);
        second.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
        Entries(await PageAsync("?about=node-z")).Count.ShouldBe(2);

        var printed = await TestedProgram.RunAsync("audit", "limits", "--url", $"{_server.Address}", "--token", "viewer");
        printed.Code.ShouldBe(0, printed.Out);
        printed.Out.ShouldContain("viewer\t");
        printed.Out.ShouldContain("403\tforbidden\tDELETE /v1/limits");
        printed.Out.ShouldNotContain("node-z");
    }

    [Fact]
    public async Task The_id_that_a_caller_gives_its_request_is_in_the_answer_and_in_the_entry_and_another_where_it_is_none()
    {
        foreach (var (given, isTaken) in ((string, bool)[])[("deploy-17/a", true), ("two words", false)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, Limits);
            request.Headers.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "operator");
            request.Headers.Add("X-Request-Id", given);
            using var answer = await _server.Client.SendAsync(request);

            var id = answer.Headers.GetValues("X-Request-Id").Single();
            (id == given).ShouldBe(isTaken);
            await Eventually.HoldsAsync(
                async () =>
                    Entries(await PageAsync())
                        .Any(entry =>
                            Text(entry, "requestId") == id && Text(entry, "traceId") == "4bf92f3577b34da6a3ce929d0e0e4736"
                        ),
                $"{id} is in the audit log, with the trace of its caller"
            );
        }
    }

    [Fact]
    public async Task Who_is_refused_over_and_over_is_one_entry_a_minute_that_counts_and_a_token_is_one_a_day_and_address()
    {
        const int times = 5;
        for (var n = 0; n < times; n++)
        {
            await SendAsync(HttpMethod.Delete, Limits, "viewer");
            await SendAsync(HttpMethod.Get, $"/v1/files?limit={n + 1}", "guessed");
        }

        IReadOnlyList<JsonElement> refused = [];
        await Eventually.HoldsAsync(
            async () =>
            {
                refused = Entries(await PageAsync());
                return Times("forbidden") == times && Times("unauthenticated") == times;
            },
            "each refusal is counted"
        );

        // A minute may have ended in between.
        refused.Count.ShouldBeInRange(2, 4);
        (await AllAsync())
            .Where(entry => Text(entry, "action") == "token")
            .Select(entry => (Text(entry, "who"), Text(entry, "target"), entry.GetProperty("times").GetInt32()))
            .ShouldBe([("viewer", "/v1/audit", 1)]);

        int Times(string problem) =>
            refused.Where(entry => Text(entry, "problem") == problem).Sum(entry => entry.GetProperty("times").GetInt32());

        async Task<IReadOnlyList<JsonElement>> AllAsync() => [.. (await PageAsync()).GetProperty("entries").EnumerateArray()];
    }

    [Fact]
    public async Task An_entry_that_cannot_be_written_waits_and_the_request_does_not()
    {
        await _database.ExecuteAsync("ALTER TABLE filetransfer.audit RENAME TO audit_away");

        (await SendAsync(HttpMethod.Delete, Limits, "operator")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await _database.ExecuteAsync("ALTER TABLE filetransfer.audit_away RENAME TO audit");

        Text((await EntriesAsync(1))[0], "action").ShouldBe("DELETE /v1/limits");
    }

    [Fact]
    public async Task The_oldest_of_a_route_go_when_they_are_too_many_and_others_stay()
    {
        // Of the first request, so that it is not in the way of the count.
        await Eventually.HoldsAsync(
            async () => await _database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.audit WHERE action = 'token'") == 1,
            "the token's use is written"
        );
        await _database.ExecuteAsync(
            $"""
            INSERT INTO filetransfer.audit (at, node_id, action, target, status, request_id)
            SELECT now(), 'node-y', CASE n WHEN 1 THEN 'rare' ELSE 'often' END, '/', 200, '' FROM generate_series(1, {AuditLog.KeptOfAction
                + 500}) n
            """
        );
        var audit = _server.App.Services.GetRequiredService<AuditLog>();
        for (var n = 0; n < 1000; n++)
        {
            audit.Add(new AuditEntry(DateTimeOffset.UtcNow, null, null, "often", "/", 200, null, ""));
        }

        await Eventually.HoldsAsync(
            async () =>
                await _database.ScalarAsync<long>(
                    "SELECT max(id) - min(id) FILTER (WHERE action = 'often') FROM filetransfer.audit"
                )
                == AuditLog.KeptOfAction - 1,
            "the newest of the route are kept"
        );
        (await _database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.audit WHERE action = 'rare'")).ShouldBe(1);
    }

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? token, HttpContent? body = null) =>
        _server.SendAsync(method, path, token, body);

    private async Task<JsonElement> PageAsync(string query = "")
    {
        using var answer = await SendAsync(HttpMethod.Get, "/v1/audit" + query, "viewer");
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<IReadOnlyList<JsonElement>> EntriesAsync(int count)
    {
        IReadOnlyList<JsonElement> entries = [];
        await Eventually.HoldsAsync(
            async () => (entries = Entries(await PageAsync())).Count >= count,
            $"{count} entries are written"
        );
        entries.Count.ShouldBe(count);
        return entries;
    }

    /// <summary>Without those of the use of tokens.</summary>
    private static IReadOnlyList<JsonElement> Entries(JsonElement page) =>
        [.. page.GetProperty("entries").EnumerateArray().Where(entry => Text(entry, "action") != "token")];

    private static string Text(JsonElement entry, string member) => entry.GetProperty(member).GetString() ?? "";
}
