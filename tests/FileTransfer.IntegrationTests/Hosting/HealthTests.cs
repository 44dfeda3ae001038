using System.Net;
using System.Text.Json;
using FileTransfer.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace FileTransfer.IntegrationTests.Hosting;

public sealed class HealthTests
{
    [Fact]
    public async Task Live_says_healthy_and_nothing_more()
    {
        await using var server = await RunningServer.StartAsync();
        (await server.Client.GetStringAsync("/health/live")).ShouldBe("""{"status":"healthy"}""");
    }

    [Theory]
    [InlineData(HealthStatus.Healthy, "healthy", HttpStatusCode.OK)]
    [InlineData(HealthStatus.Degraded, "degraded", HttpStatusCode.OK)]
    [InlineData(HealthStatus.Unhealthy, "unhealthy", HttpStatusCode.ServiceUnavailable)]
    public async Task Ready_is_as_good_as_its_worst_check_and_says_why(HealthStatus worst, string name, HttpStatusCode status)
    {
        await using var server = await RunningServer.StartAsync(null, app => AddChecks(app, worst));
        using var answer = await server.SendAsync(HttpMethod.Get, "/health/ready");
        answer.StatusCode.ShouldBe(status);
        var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        body.GetProperty("status").GetString().ShouldBe(name);
        body.GetProperty("checks").GetProperty("database").GetProperty("status").GetString().ShouldBe("healthy");
        body.GetProperty("checks").GetProperty("disk").GetProperty("status").GetString().ShouldBe(name);
        body.GetProperty("checks").GetProperty("disk").GetProperty("detail").GetString().ShouldBe("1 GiB free");
        body.GetProperty("checks").TryGetProperty("other", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_node_that_drains_says_so_finishes_what_runs_and_refuses_what_is_new()
    {
        var (entered, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await RunningServer.StartAsync(
            null,
            app =>
                app.MapGet(
                    "/transfer",
                    async () =>
                    {
                        entered.SetResult();
                        await release.Task;
                        return "whole";
                    }
                )
        );
        var running = server.Client.GetStringAsync("/transfer");
        await entered.Task;
        var stopped = server.App.StopAsync();

        using var ready = await server.SendAsync(HttpMethod.Get, "/health/ready");
        ready.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await ready.Content.ReadAsStringAsync()).ShouldContain("\"draining\"");
        using var late = await server.SendAsync(HttpMethod.Get, "/transfer");
        await late.ReadProblemAsync("draining");
        late.Headers.RetryAfter.ShouldNotBeNull();
        stopped.IsCompleted.ShouldBeFalse();

        release.SetResult();
        (await running).ShouldBe("whole");
        await stopped;
    }

    [Fact]
    public async Task What_runs_longer_than_the_drain_is_cut_off()
    {
        var entered = new TaskCompletionSource();
        await using var server = await RunningServer.StartAsync(
            null,
            app =>
                app.MapGet(
                    "/endless",
                    async (CancellationToken aborted) =>
                    {
                        entered.SetResult();
                        await Task.Delay(Timeout.Infinite, aborted);
                    }
                ),
            "--FileTransfer:DrainTimeout=00:00:00.2"
        );
        var running = server.Client.GetStringAsync("/endless");
        await entered.Task;
        await server.App.StopAsync();
        await Should.ThrowAsync<HttpRequestException>(() => running);
    }

    // The service registers its checks while it is built; a test adds its own to the finished one.
    private static void AddChecks(WebApplication app, HealthStatus disk)
    {
        var registrations = app.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations;
        registrations.Clear();
        registrations.Add(Check("database", HealthStatus.Healthy, HealthRoutes.Ready));
        registrations.Add(Check("disk", disk, HealthRoutes.Ready));
        registrations.Add(Check("other", HealthStatus.Unhealthy, "other"));
    }

    private static HealthCheckRegistration Check(string name, HealthStatus status, string tag) =>
        new(name, _ => new Fixed(new HealthCheckResult(status, "1 GiB free")), failureStatus: null, [tag]);

    private sealed class Fixed(HealthCheckResult result) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) => Task.FromResult(result);
    }
}
