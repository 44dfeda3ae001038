using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FileTransfer.Hosting;

/// <summary>Answer of the health routes. <c>status</c>: <c>healthy</c>, <c>degraded</c>, <c>unhealthy</c>, <c>starting</c> or <c>draining</c>.</summary>
internal sealed record HealthAnswer(
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, CheckAnswer>? Checks
);

/// <summary>One check: <c>status</c> as above, <c>detail</c> for a person.</summary>
internal sealed record CheckAnswer(string Status, string? Detail);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HealthAnswer))]
internal sealed partial class HealthJson : JsonSerializerContext;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it can do its work, as every check tagged <see cref="Ready"/> says.</summary>
internal static class HealthRoutes
{
    /// <summary>Tag of the checks that <c>/health/ready</c> asks: <c>AddHealthChecks().AddCheck&lt;T&gt;("disk", tags: [HealthRoutes.Ready])</c>.</summary>
    public const string Ready = "ready";

    public static bool IsHealth(PathString path) => path.StartsWithSegments("/health", StringComparison.Ordinal);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/health").AllowAnonymous().WithTags("Health");
        string[] methods = [HttpMethods.Get, HttpMethods.Head];
        health.MapMethods("/live", methods, Live).Produces<HealthAnswer>();
        health
            .MapMethods("/ready", methods, ReadyAsync)
            .Produces<HealthAnswer>()
            .Produces<HealthAnswer>(StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>Whether the process answers at all.</summary>
    private static JsonHttpResult<HealthAnswer> Live(HttpContext context) =>
        Answer(context, new HealthAnswer("healthy", null), ready: true);

    /// <summary>Whether this node can do its work now: 503 while it starts, while it stops, and when a check is unhealthy.</summary>
    private static async Task<JsonHttpResult<HealthAnswer>> ReadyAsync(
        HttpContext context,
        HealthCheckService checks,
        RequestDrain drain,
        IHostApplicationLifetime lifetime,
        CancellationToken cancellationToken
    )
    {
        var report = await checks.CheckHealthAsync(check => check.Tags.Contains(Ready), cancellationToken);
        var status =
            drain.IsDraining ? "draining"
            : !lifetime.ApplicationStarted.IsCancellationRequested ? "starting"
            : NameOf(report.Status);
        var entries = report.Entries.ToDictionary(
            entry => entry.Key,
            entry => new CheckAnswer(NameOf(entry.Value.Status), entry.Value.Description ?? entry.Value.Exception?.Message),
            StringComparer.Ordinal
        );
        return Answer(context, new HealthAnswer(status, entries), ready: status is "healthy" or "degraded");
    }

    private static string NameOf(HealthStatus status) =>
        status switch
        {
            HealthStatus.Healthy => "healthy",
            HealthStatus.Degraded => "degraded",
            _ => "unhealthy",
        };

    private static JsonHttpResult<HealthAnswer> Answer(HttpContext context, HealthAnswer answer, bool ready)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(answer, HealthJson.Default.HealthAnswer, statusCode: ready ? 200 : 503);
    }
}
