using FileTransfer.Downloads;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Operations;

internal static class SourceRoutes
{
    public static void MapSources(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Sources, Find)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Cluster")
            .WithSummary("The sources that this node has met: which it asks, which it does not, since when, why and until when")
            .Produces<SourcesResource>();

    private static JsonHttpResult<SourcesResource> Find(DownloadEngine engine, TimeProvider time, NodeId here)
    {
        var now = time.GetUtcNow();
        return TypedResults.Json(
            new SourcesResource(here.Value, [.. engine.Diagnostics().Select(standing => Describe(standing, now))]),
            WireJson.Default.SourcesResource
        );
    }

    private static KnownSourceResource Describe(SourceDiagnostics standing, DateTimeOffset now) =>
        new(
            standing.Id.Value,
            standing switch
            {
                { IsDemoted: true } => "demoted",
                { IsPaused: true } => "paused",
                { Condition: SourceCondition.Healthy } => "healthy",
                { Condition: SourceCondition.Unreachable } => "unreachable",
                { Condition: SourceCondition.Probing } => "probing",
                _ => "unknown",
            },
            standing.Reason,
            now - standing.For,
            now + standing.AskedAgainIn,
            standing.Strikes,
            standing.Requests,
            (long?)standing.BytesPerSecond
        );
}
