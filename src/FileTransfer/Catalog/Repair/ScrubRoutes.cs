using FileTransfer.Catalog.Replicas;
using FileTransfer.Http;
using FileTransfer.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FileTransfer.Catalog.Repair;

/// <summary>How far the scrub of a node is.</summary>
/// <param name="State"><c>running</c> or <c>idle</c>.</param>
/// <param name="Pass">The pass under way.</param>
/// <param name="Last">The last pass that was completed.</param>
/// <param name="NextAt">While it is idle: when the next pass begins by itself.</param>
/// <param name="Damage">Contents that were found damaged, by whomever, and are not back yet; the first hundred.</param>
/// <param name="Found">Contents found damaged since the node started.</param>
/// <param name="Named">The files that somebody named last; null where nobody has since the node started.</param>
public sealed record ScrubResource(
    string State,
    ScrubPassResource? Pass,
    ScrubPassResource? Last,
    DateTimeOffset? NextAt,
    IReadOnlyList<DamageResource> Damage,
    long Found,
    NamedScrubResource? Named = null
);

/// <summary>What to prove: the files of one bucket, or those with these keys, 1000 at most.</summary>
/// <param name="Bucket" example="0x2222222222222222222222222222222222222222222222222222222222222222">A bucket, in hex.</param>
/// <param name="Keys">File keys; each must be stored here.</param>
public sealed record ScrubRequest(string? Bucket, IReadOnlyList<string>? Keys);

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
    private const int MostKeys = 1000;

    public static void MapScrub(this IEndpointRouteBuilder routes)
    {
        var scrub = routes.MapGroup("/v1/scrub").WithTags("Cluster");
        scrub
            .MapGet("", Get)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("How far this node is with proving its contents again, and what is damaged and not back yet")
            .Produces<ScrubResource>();
        scrub
            .MapPost("", StartAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary(
                "Proves every content of this node, or those named in the body, from now on and not at the pace of the period"
            )
            .WithDescription(
                "Without a body: everything; a pass that was asked for already goes on as it is. With one: only those, beside the pass; `named` says how far."
            )
            .Produces<ScrubResource>(StatusCodes.Status202Accepted)
            .ProducesProblems(
                ProblemTypes.BadRequest,
                ProblemTypes.MediaTypeUnsupported,
                ProblemTypes.FileKeyMalformed,
                ProblemTypes.FileUnknown,
                ProblemTypes.FileRemoved,
                ProblemTypes.FileNotStored,
                ProblemTypes.DatabaseUnavailable
            );
        scrub
            .MapDelete("", Cancel)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Ends the pass under way; the next one begins when it is due")
            .Produces<ScrubResource>();
    }

    private static JsonHttpResult<ScrubResource> Get(ScrubPasses passes, NamedScrub named, DamagedContents damaged) =>
        Answer(passes, named, damaged, StatusCodes.Status200OK);

    private static async Task<Results<JsonHttpResult<ScrubResource>, ProblemHttpResult>> StartAsync(
        ScrubRequest? request,
        ScrubPasses passes,
        NamedScrub named,
        DamagedContents damaged,
        FileCatalog catalog,
        ReplicaTable replicas,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        switch (request)
        {
            case null:
                passes.Start();
                break;
            case { Bucket: { } bucket, Keys: null } when BucketId.TryParse(bucket, out var id):
                named.Start(id.Value);
                break;
            case { Bucket: null, Keys: { Count: > 0 and <= MostKeys } keys }:
                var files = new List<FileRecord>(keys.Count);
                foreach (var key in keys)
                {
                    if (!FileKey.TryParse(key, out var fileKey))
                    {
                        return FileProblems.Malformed(key ?? "");
                    }

                    var file = await catalog.FindAsync(fileKey, cancellationToken);
                    var replica = await replicas.FindAsync(here, fileKey, cancellationToken);
                    if (file is null || replica?.State != ReplicaState.Stored)
                    {
                        return FileProblems.NotReadable(fileKey, file, replica);
                    }

                    files.Add(file);
                }

                named.Start(files);
                break;
            default:
                return Problem.Of(
                    ProblemTypes.BadRequest,
                    $"Name what to prove: {{\"bucket\": \"0x…\"}} with 1 to {FileMetadata.MaxIdLength} bytes as hex digits, or {{\"keys\": [\"0x…\"]}} with 1 to {MostKeys} file keys. Without a body it is everything."
                );
        }

        return Answer(passes, named, damaged, StatusCodes.Status202Accepted);
    }

    private static JsonHttpResult<ScrubResource> Cancel(ScrubPasses passes, NamedScrub named, DamagedContents damaged)
    {
        passes.Cancel();
        return Answer(passes, named, damaged, StatusCodes.Status200OK);
    }

    private static JsonHttpResult<ScrubResource> Answer(ScrubPasses passes, NamedScrub named, DamagedContents damaged, int status)
    {
        var state = passes.State;
        var resource = new ScrubResource(
            state.Now is null ? "idle" : "running",
            ScrubPassResource.Of(state.Now),
            ScrubPassResource.Of(state.Last),
            passes.NextAt,
            [
                .. damaged
                    .Open.Take(MostDamage)
                    .Select(damage => new DamageResource(damage.Fingerprint.ToString(), damage.Reason, damage.Name, damage.At)),
            ],
            damaged.Found,
            named.Progress
        );
        return TypedResults.Json(resource, CatalogJson.Default.ScrubResource, statusCode: status);
    }
}
