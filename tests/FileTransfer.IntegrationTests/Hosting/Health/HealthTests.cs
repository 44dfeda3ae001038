using System.Net;
using System.Text.Json;
using FileTransfer.Hosting.Health;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace FileTransfer.IntegrationTests.Hosting.Health;

public sealed class HealthTests
{
    [Fact]
    public async Task Live_says_healthy_and_nothing_more()
    {
        await using var server = await RunningServer.StartAsync();
        (await server.Client.GetStringAsync("/health/live")).ShouldBe("""{"status":"healthy"}""");
    }

    [Fact]
    public async Task Without_its_database_a_node_says_what_its_start_waits_for_serves_readers_and_knows_of_each_check_since_when()
    {
        await using var server = await RunningServer.StartAsync();

        using var startup = await server.SendAsync(HttpMethod.Get, "/health/startup");
        startup.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        var starting = JsonDocument.Parse(await startup.Content.ReadAsStringAsync()).RootElement;
        starting.GetProperty("status").GetString().ShouldBe("starting");
        starting.GetProperty("checks").GetProperty("database").GetProperty("detail").GetString().ShouldNotBeNullOrEmpty();

        using var read = await server.SendAsync(HttpMethod.Get, "/health/cluster/read");
        read.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var write = await server.SendAsync(HttpMethod.Get, "/health/cluster");
        write.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        foreach (
            var check in JsonDocument
                .Parse(await write.Content.ReadAsStringAsync())
                .RootElement.GetProperty("checks")
                .EnumerateObject()
        )
        {
            check.Value.GetProperty("detail").GetString().ShouldNotBeNullOrEmpty(check.Name);
            check.Value.GetProperty("since").GetDateTimeOffset().ShouldBeLessThan(DateTimeOffset.UtcNow, check.Name);
        }
    }

    [Theory]
    // What the check stops, its status, and the codes of: ready, ready where writes are required, ready where all must be well.
    [InlineData(nameof(Stops.Reads), HealthStatus.Healthy, "healthy", 200, 200, 200)]
    [InlineData(nameof(Stops.Reads), HealthStatus.Degraded, "degraded", 200, 200, 503)]
    [InlineData(nameof(Stops.Reads), HealthStatus.Unhealthy, "unhealthy", 503, 503, 503)]
    [InlineData(nameof(Stops.Writes), HealthStatus.Degraded, "degraded", 200, 200, 503)]
    [InlineData(nameof(Stops.Writes), HealthStatus.Unhealthy, "degraded", 200, 503, 503)]
    [InlineData(nameof(Stops.Nothing), HealthStatus.Unhealthy, "degraded", 200, 200, 503)]
    public async Task A_check_refuses_what_it_stops_and_degrades_the_rest_and_the_setting_is_as_strict_as_wanted(
        string stopped,
        HealthStatus worst,
        string ready,
        int readsCode,
        int writesCode,
        int healthyCode
    )
    {
        foreach (var (setting, code) in new[] { ("Reads", readsCode), ("Writes", writesCode), ("Healthy", healthyCode) })
        {
            await using var server = await RunningServer.StartAsync(
                null,
                app => AddChecks(app, worst, Enum.Parse<Stops>(stopped)),
                $"--FileTransfer:Health:ReadyWhen={setting}"
            );
            using var answer = await server.SendAsync(HttpMethod.Get, "/health/ready");
            ((int)answer.StatusCode).ShouldBe(code, setting);
            var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            body.GetProperty("status").GetString().ShouldBe(setting == "Writes" && code == 503 ? "unhealthy" : ready);
            var checks = body.GetProperty("checks");
            checks.GetProperty("database").GetProperty("status").GetString().ShouldBe("healthy");
            checks.GetProperty("disk").GetProperty("status").GetString().ShouldBe(NodeHealth.NameOf(worst));
            checks.GetProperty("disk").GetProperty("detail").GetString().ShouldBe("1 GiB free");
            using var cluster = await server.SendAsync(HttpMethod.Get, "/health/cluster");
            ((int)cluster.StatusCode).ShouldBe(writesCode);
        }
    }

    [Fact]
    public async Task However_often_somebody_asks_the_checks_look_fifty_times_a_second_at_most()
    {
        var looks = 0;
        await using var server = await RunningServer.StartAsync(
            null,
            app =>
                app.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>()
                    .Value.Registrations.Add(
                        new HealthCheckRegistration(
                            "counted",
                            _ =>
                            {
                                Interlocked.Increment(ref looks);
                                return new Fixed(HealthCheckResult.Healthy());
                            },
                            failureStatus: null,
                            tags: null
                        )
                    )
        );
        var began = TimeProvider.System.GetTimestamp();
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 1000).Select(_ => server.SendAsync(HttpMethod.Get, "/health/ready"))
        );

        answers.ShouldAllBe(answer => answer.StatusCode == HttpStatusCode.OK);
        looks.ShouldBeInRange(50, 50 * (1 + (int)Math.Ceiling(TimeProvider.System.GetElapsedTime(began).TotalSeconds)));
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
    private static void AddChecks(WebApplication app, HealthStatus disk, Stops stops)
    {
        var registrations = app.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations;
        registrations.Clear();
        registrations.Add(Check("database", HealthStatus.Healthy, Stops.Writes));
        registrations.Add(Check("disk", disk, stops));
    }

    private static HealthCheckRegistration Check(string name, HealthStatus status, Stops stops) =>
        new(name, _ => new Fixed(new HealthCheckResult(status, "1 GiB free")), failureStatus: null, stops.Tags());

    private sealed class Fixed(HealthCheckResult result) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) => Task.FromResult(result);
    }
}
