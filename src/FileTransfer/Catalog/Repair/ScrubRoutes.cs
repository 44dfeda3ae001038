using FileTransfer.Chunks.Repair;
using FileTransfer.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FileTransfer.Catalog.Repair;

/// <summary>How far the scrub of a node is.</summary>
/// <param name="State"><c>running</c> or <c>idle</c>.</param>
/// <param name="Pass">The pass under way.</param>
/// <param name="Last">The last pass that was completed.</param>
/// <param name="NextAt">While it is idle: when the next pass begins by itself.</param>
/// <param name="Damage">Contents that were found damaged, by whomever, and are not back yet; the first hundred.</param>
/// <param name="Found">Contents found damaged since the node started.</param>
public sealed record ScrubResource(
    string State,
    ScrubPassResource? Pass,
    ScrubPassResource? Last,
    DateTimeOffset? NextAt,
    IReadOnlyList<DamageResource> Damage,
    long Found
);

/// <summary>A pass over all contents of a node.</summary>
/// <param name="Requested">A person asked for it: it is as fast as <c>FileTransfer:Scrub:BytesPerSecond</c> allows. Else it keeps to the period.</param>
/// <param name="Position">The fingerprint of the content proven last; they are proven in this order.</param>
/// <param name="TotalBytes">Bytes held when it started.</param>
/// <param name="Damaged">Contents that were set aside.</param>
/// <param name="Mended">Contents whose chunk hashes were wrong or missing and were computed again.</param>
public sealed record ScrubPassResource(
    bool Requested,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    string? Position,
    long Contents,
    long Bytes,
    long TotalBytes,
    long Damaged,
    long Mended
)
{
    internal static ScrubPassResource? Of(ScrubPass? pass) =>
        pass is null
            ? null
            : new ScrubPassResource(
                pass.IsRequested,
                pass.StartedAt,
                pass.EndedAt,
                pass.Position,
                pass.Contents,
                pass.Bytes,
                pass.TotalBytes,
                pass.Damaged,
                pass.Mended
            );
}

/// <summary>A content that was set aside.</summary>
/// <param name="Kept">Its name in the folder <c>quarantine</c>; the reason is beside it.</param>
public sealed record DamageResource(string Fingerprint, string Reason, string Kept, DateTimeOffset At);

/// <summary>Watches and starts the scrub of a node.</summary>
public static class ScrubRoutes
{
    private const int MostDamage = 100;

    public static void MapScrub(this IEndpointRouteBuilder routes)
    {
        var scrub = routes.MapGroup("/v1/scrub").WithTags("Cluster");
        scrub
            .MapGet("", Get)
            .RequireAuthorization(Access.Read)
            .WithSummary("How far this node is with proving its contents again, and what is damaged and not back yet")
            .Produces<ScrubResource>();
        scrub
            .MapPost("", Start)
            .RequireAuthorization(Access.Admin)
            .WithSummary("Proves every content of this node, from now on and not at the pace of the period")
            .WithDescription("One that was asked for already goes on as it is.")
            .Produces<ScrubResource>(StatusCodes.Status202Accepted);
        scrub
            .MapDelete("", Cancel)
            .RequireAuthorization(Access.Admin)
            .WithSummary("Ends the pass under way; the next one begins when it is due")
            .Produces<ScrubResource>();
    }

    private static JsonHttpResult<ScrubResource> Get(Scrub scrub, DamagedContents damaged) =>
        Answer(scrub, damaged, StatusCodes.Status200OK);

    private static JsonHttpResult<ScrubResource> Start(Scrub scrub, DamagedContents damaged)
    {
        scrub.Start();
        return Answer(scrub, damaged, StatusCodes.Status202Accepted);
    }

    private static JsonHttpResult<ScrubResource> Cancel(Scrub scrub, DamagedContents damaged)
    {
        scrub.Cancel();
        return Answer(scrub, damaged, StatusCodes.Status200OK);
    }

    private static JsonHttpResult<ScrubResource> Answer(Scrub scrub, DamagedContents damaged, int status)
    {
        var state = scrub.State;
        var resource = new ScrubResource(
            state.Now is null ? "idle" : "running",
            ScrubPassResource.Of(state.Now),
            ScrubPassResource.Of(state.Last),
            scrub.NextAt,
            [
                .. damaged
                    .Open.Take(MostDamage)
                    .Select(damage => new DamageResource(damage.Fingerprint.ToString(), damage.Reason, damage.Name, damage.At)),
            ],
            damaged.Found
        );
        return TypedResults.Json(resource, CatalogJson.Default.ScrubResource, statusCode: status);
    }
}
