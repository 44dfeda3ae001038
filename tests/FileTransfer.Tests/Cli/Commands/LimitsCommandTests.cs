using System.Text.Json.Nodes;
using FileTransfer.Cli;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class LimitsCommandTests : IDisposable
{
    private const string Answer = """
        {
          "node": "a",
          "inForce": { "requests": 50, "requestsPerSource": 4, "connections": 3, "download": "50MiB/s; 08:00-18:00 10MiB/s",
            "upload": "unlimited", "perSource": { "mirror": "1MB/s" } },
          "configured": { "requests": 50, "requestsPerSource": 4, "connections": 25, "download": "unlimited", "upload": "unlimited",
            "perSource": { "mirror": "1MB/s" } },
          "set": { "connections": 3, "download": "50MiB/s; 08:00-18:00 10MiB/s" },
          "now": {
            "download": { "rate": "10MiB/s", "bytesPerSecond": 10485760, "until": "2030-01-01T18:00:00+00:00", "then": "50MiB/s" },
            "upload": { "rate": "unlimited", "bytesPerSecond": null, "until": null, "then": null },
            "perSource": { "mirror": { "rate": "1MB/s", "bytesPerSecond": 1000000, "until": null, "then": null } }
          }
        }
        """;

    private readonly CliHarness _cli = new();
    private JsonNode? _sent;

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Each_limit_is_a_line_that_says_where_it_comes_from_and_what_counts_now()
    {
        await using var node = await StartAsync();

        var result = await _cli.RunAsync("limits", "get", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Lines.ShouldBe([
            "download\t50MiB/s; 08:00-18:00 10MiB/s\tset\tnow 10MiB/s until 2030-01-01 18:00, then 50MiB/s",
            "upload\tunlimited\tconfigured",
            "mirror\t1MB/s\tconfigured",
            "requests\t50\tconfigured",
            "requests per source\t4\tconfigured",
            "connections\t3\tset",
        ]);
    }

    [Fact]
    public async Task What_is_given_is_set_and_what_was_set_before_stays()
    {
        await using var node = await StartAsync();

        var result = await _cli.RunAsync(
            "limits",
            "set",
            "--upload",
            "20MB/s",
            "--per-source",
            "node b=5MB/s",
            "--url",
            node.Address
        );

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        JsonNode
            .DeepEquals(
                _sent,
                JsonNode.Parse(
                    """
                    { "connections": 3, "download": "50MiB/s; 08:00-18:00 10MiB/s", "upload": "20MB/s",
                      "perSource": { "mirror": "1MB/s", "node b": "5MB/s" } }
                    """
                )
            )
            .ShouldBeTrue(_sent!.ToJsonString());
    }

    [Fact]
    public async Task Limits_are_deleted_and_the_answer_is_one_line_of_JSON()
    {
        await using var node = await StartAsync();

        var result = await _cli.RunAsync("limits", "delete", "--json", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        ((string)JsonNode.Parse(result.Lines.Single())!["node"]!).ShouldBe("a");
        node.Requests.ShouldBe(["DELETE /v1/limits"]);
    }

    [Theory]
    [InlineData("'fast'", "--upload", "fast")]
    [InlineData("NAME=RATE", "--per-source", "5MB/s")]
    [InlineData("twice", "--per-source", "a=5MB/s", "--per-source", "a=6MB/s")]
    [InlineData("out of range", "--requests", "0")]
    [InlineData("Nothing to set")]
    public async Task Limits_that_cannot_be_are_refused_with_2_and_sent_nowhere(string named, params string[] options)
    {
        await using var node = await StartAsync();

        var result = await _cli.RunAsync(["limits", "set", "--url", node.Address, .. options]);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain(named);
        node.Requests.ShouldBeEmpty();
    }

    private async Task<FakeNode> StartAsync()
    {
        var node = await FakeNode.StartAsync();
        node.Before = async context =>
        {
            if (context.Request.Path != "/v1/limits")
            {
                return false;
            }

            if (context.Request.Method == "PUT")
            {
                _sent = await JsonNode.ParseAsync(context.Request.Body);
            }

            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(Answer);
            return true;
        };
        return node;
    }
}
