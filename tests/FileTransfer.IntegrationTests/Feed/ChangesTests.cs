using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Feed;

/// <summary>Programs keep up with the cluster from a position that lasts, or are told.</summary>
public sealed class ChangesTests
{
    private const string Secret = "a secret of the receiver";

    private readonly ConcurrentQueue<(string Body, string Time, string Signature)> _told = new();
    private volatile bool _isRefused = true;

    [Thorough]
    [Fact]
    public async Task Changes_come_in_order_behind_a_position_and_a_webhook_is_told_them_signed_until_it_takes_them()
    {
        await using var receiver = await ReceiveAsync();
        await using var cluster = await TestCluster.CreateAsync();
        (string, string)[] settings =
        [
            ("FileTransfer__Webhooks__0__Url", $"{receiver.Urls.First()}/hook"),
            ("FileTransfer__Webhooks__0__Secret", Secret),
        ];
        var node = await cluster.StartLeaderAsync("node-a", settings);
        await Eventually.HoldsAsync(
            async () => await cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.webhooks") == 1,
            "the webhook has its position"
        );
        var begin = (await node.GetJsonAsync("/v1/changes?after=now")).GetProperty("position").GetString();
        var waiting = node.GetJsonAsync($"/v1/changes?after={begin}&wait=60");

        var key = await node.PutAsync([1, 2, 3], "changes");

        var first = await waiting;
        Kinds(first).ShouldBe([$"stored {key} changes 3"]);
        (await node.Http.DeleteAsync($"/v1/files/{key}")).IsSuccessStatusCode.ShouldBeTrue();
        await node.PutAsync([1, 2, 3], "changes");
        Kinds(await node.GetJsonAsync($"/v1/changes?after={begin}"))
            .ShouldBe([$"stored {key} changes 3", $"removed {key} changes 3", $"stored {key} changes 3"]);
        Kinds(await node.GetJsonAsync($"/v1/changes?after={first.GetProperty("position").GetString()}")).Length.ShouldBe(2);
        var printed = await TestedProgram.RunAsync("changes", "--after", begin!, "--url", $"{node.Url}");
        printed.Code.ShouldBe(0);
        printed.Out.ShouldContain($"\tremoved\t{key}\t3\t0x02\tchanges");
        using (var old = await node.Http.GetAsync($"/v1/changes?after={Guid.NewGuid():N}-0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"))
        {
            await old.ShouldBeProblemAsync(410, "feed-compacted");
        }

        // Another run of the leader goes on where the last one was refused.
        await node.StopAsync();
        _isRefused = false;
        await cluster.StartLeaderAsync("node-a", settings);
        await Eventually.HoldsAsync(() => Task.FromResult(Told().Count() == 3), "the webhook has been told all of it");
        Told().ShouldBe([$"stored {key} changes 3", $"removed {key} changes 3", $"stored {key} changes 3"]);
        _told.ShouldAllBe(one => one.Signature == SignatureOf(one.Time, one.Body));
    }

    private IEnumerable<string> Told() => _told.SelectMany(one => Kinds(JsonDocument.Parse(one.Body).RootElement));

    private static string SignatureOf(string at, string body) =>
        "sha256="
        + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes($"{at}.{body}")));

    private static string[] Kinds(JsonElement page) =>
        [
            .. page.GetProperty("changes")
                .EnumerateArray()
                .Select(one =>
                    $"{one.GetProperty("kind")} {one.GetProperty("key")} {one.GetProperty("location")} {one.GetProperty("size")}"
                ),
        ];

    private async Task<WebApplication> ReceiveAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost(
            "/hook",
            async (HttpContext context) =>
            {
                using var reader = new StreamReader(context.Request.Body);
                var body = await reader.ReadToEndAsync();
                if (_isRefused)
                {
                    return Results.StatusCode((int)HttpStatusCode.ServiceUnavailable);
                }

                _told.Enqueue(
                    (body, context.Request.Headers["FileTransfer-Time"]!, context.Request.Headers["FileTransfer-Signature"]!)
                );
                return Results.Ok();
            }
        );
        await app.StartAsync();
        return app;
    }
}
