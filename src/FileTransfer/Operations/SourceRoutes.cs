using System.Text.Json.Serialization;
using FileTransfer.Downloads;
using FileTransfer.Downloads.Planning;
using FileTransfer.Http;
using FileTransfer.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FileTransfer.Operations;

/// <summary>A source as this node knows it since it was started.</summary>
/// <param name="Source" example="node b">Its name: <c>node ID</c>, <c>share NAME</c> or <c>stream NAME</c>.</param>
/// <param name="State">
/// <c>up</c>; <c>unknown</c> before it was asked; <c>probing</c>; <c>away</c>: it does not answer; <c>paused</c>: it asked to be left
/// alone; <c>shunned</c>: it sent wrong bytes of several files and is asked last.
/// </param>
/// <param name="Reason">Why it is not just up; what it last did wrong.</param>
/// <param name="Since">Since when it is in this state; null where that is not kept.</param>
/// <param name="Until">When it is asked again as before; null where it is now.</param>
/// <param name="BlamedFiles">Files of which it sent wrong bytes lately: each asks others first for a while.</param>
/// <param name="Requests">Requests in flight there.</param>
/// <param name="BytesPerSecond">Its measured rate; null where too little came.</param>
public sealed record KnownSourceResource(
    string Source,
    string State,
    string? Reason,
    DateTimeOffset? Since,
    DateTimeOffset? Until,
    int BlamedFiles,
    int Requests,
    long? BytesPerSecond
)
{
    internal static KnownSourceResource Of(SourceStanding standing, DateTimeOffset now) =>
        new(
            standing.Id.Value,
            standing switch
            {
                { IsShunned: true } => "shunned",
                { IsPaused: true } => "paused",
                { Condition: SourceCondition.Up } => "up",
                { Condition: SourceCondition.Away } => "away",
                { Condition: SourceCondition.Probing } => "probing",
                _ => "unknown",
            },
            standing.Reason,
            now - standing.For,
            now + standing.AskedAgainIn,
            standing.BlamedFiles,
            standing.Requests,
            (long?)standing.BytesPerSecond
        );
}

/// <summary>The sources that this node has met.</summary>
public sealed record SourcesResource(string Node, IReadOnlyList<KnownSourceResource> Sources);

internal static class SourceRoutes
{
    public static void MapSources(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/sources", Find)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Cluster")
            .WithSummary("The sources that this node has met: which it asks, which it does not, since when, why and until when")
            .Produces<SourcesResource>();

    private static JsonHttpResult<SourcesResource> Find(DownloadEngine engine, TimeProvider time, NodeId here)
    {
        var now = time.GetUtcNow();
        return TypedResults.Json(
            new SourcesResource(here.Value, [.. engine.Standings().Select(standing => KnownSourceResource.Of(standing, now))]),
            SourcesJson.Default.SourcesResource
        );
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SourcesResource))]
internal sealed partial class SourcesJson : JsonSerializerContext;
