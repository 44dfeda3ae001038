using System.Text.Json.Nodes;
using FileTransfer.Cli;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class HealthcheckCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task A_node_that_lives_is_healthy()
    {
        await using var node = await FakeNode.StartAsync();

        var result = await _cli.RunAsync("healthcheck", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        result.Out.ShouldBe("healthy\n");
        node.Requests.ShouldBe(["GET /health/live"]);
    }

    [Fact]
    public async Task A_node_that_is_not_ready_is_not_and_says_why()
    {
        await using var node = await FakeNode.StartAsync();
        var database = new JsonObject
        {
            ["status"] = "unhealthy",
            ["detail"] = "away for 3 s",
            ["since"] = "2030-01-01T12:00:00+02:00",
        };
        node.Ready = (
            503,
            new JsonObject
            {
                ["status"] = "starting",
                ["checks"] = new JsonObject { ["database"] = database },
            }
        );

        var result = await _cli.RunAsync("healthcheck", "--ready", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Failed);
        result.Out.ShouldBe("starting; database: away for 3 s (since 2030-01-01 10:00:00Z)\n");
    }

    [Fact]
    public async Task A_node_that_is_away_fails_at_once()
    {
        var result = await _cli.RunAsync("healthcheck", "--url", _cli.DeadUrl());

        result.Code.ShouldBe(ExitCode.Failed);
        result.Error.ShouldContain("cannot be reached");
    }

    [Fact]
    public async Task A_node_that_does_not_answer_fails_after_the_time_given()
    {
        await using var node = await FakeNode.StartAsync();
        node.Before = async context =>
        {
            var gone = new TaskCompletionSource();
            await using var registration = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
            return true;
        };

        var result = await _cli.RunAsync("healthcheck", "--timeout", "200ms", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Failed);
        result.Error.ShouldContain("went silent");
    }
}
