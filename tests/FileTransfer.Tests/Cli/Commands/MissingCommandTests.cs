using System.Text.Json.Nodes;
using FileTransfer.Cli;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class MissingCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Nothing_missing_is_no_line_and_0()
    {
        await using var node = await StartAsync("");

        var result = await _cli.RunAsync("missing", CliHarness.Bucket, "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Out.ShouldBeEmpty();
        node.Requests.ShouldBe([$"GET /v1/buckets/{CliHarness.Bucket}/missing"]);
    }

    [Fact]
    public async Task What_is_missing_is_a_line_each_and_3()
    {
        await using var node = await StartAsync(Line("0x01", "wanted", "a"), Line("0x02", "absent", "b"));

        var text = await _cli.RunAsync("missing", CliHarness.Bucket, "--url", node.Address);
        var json = await _cli.RunAsync("missing", CliHarness.Bucket, "--json", "--url", node.Address);

        text.Code.ShouldBe(ExitCode.NotComplete);
        text.Lines.ShouldBe(["0x01\twanted\t5\t10\t2\ta\twhy", "0x02\tabsent\t5\t10\t2\tb\twhy"]);
        json.Code.ShouldBe(ExitCode.NotComplete);
        json.Lines.Select(line => (string)JsonNode.Parse(line)!["key"]!).ShouldBe(["0x01", "0x02"]);
    }

    [Fact]
    public async Task A_list_that_is_cut_off_goes_on_without_telling_anything_twice()
    {
        var asked = 0;
        await using var node = await FakeNode.StartAsync();
        node.Before = async context =>
        {
            await context.Response.WriteAsync(Line("0x01", "wanted", "a"));
            await context.Response.Body.FlushAsync();
            if (++asked == 1)
            {
                context.Abort();
                return true;
            }

            await context.Response.WriteAsync(Line("0x02", "wanted", "b"));
            return true;
        };

        var result = await _cli.RunAsync("missing", CliHarness.Bucket, "--url", node.Address);

        result.Code.ShouldBe(ExitCode.NotComplete, result.Error);
        asked.ShouldBe(2);
        result.Lines.Select(line => line.Split('\t')[0]).ShouldBe(["0x01", "0x02"]);
    }

    private static string Line(string key, string state, string location) =>
        new JsonObject
        {
            ["key"] = key,
            ["location"] = location,
            ["size"] = 10,
            ["state"] = state,
            ["bytesProven"] = 5,
            ["reason"] = "why",
            ["nextAttemptAt"] = null,
            ["sources"] = 2,
        }.ToJsonString() + "\n";

    private static async Task<FakeNode> StartAsync(params string[] lines)
    {
        var node = await FakeNode.StartAsync();
        node.Before = async context =>
        {
            await context.Response.WriteAsync(string.Concat(lines));
            return true;
        };
        return node;
    }
}
