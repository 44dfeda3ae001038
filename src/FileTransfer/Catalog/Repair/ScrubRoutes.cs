using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Catalog.Repair;

/// <summary>Watches and starts the scrub of a node.</summary>
public static class ScrubRoutes
{
    private const int MostDamage = 100;
    private const int MostKeys = 1000;

    public static void MapScrub(this IEndpointRouteBuilder routes)
    {
        var scrub = routes.MapGroup(Routes.Scrub).WithTags("Cluster");
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
                    $"Name what to verify: {{\"bucket\": \"0x…\"}} with 1 to {FileMetadata.MaxIdLength} bytes as hex digits, or {{\"keys\": [\"0x…\"]}} with 1 to {MostKeys} file keys. Without a body, everything is verified."
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
            Describe(state.Now),
            Describe(state.Last),
            passes.NextAt,
            [
                .. damaged
                    .Open.Take(MostDamage)
                    .Select(damage => new DamageResource(damage.Fingerprint.ToString(), damage.Reason, damage.Name, damage.At)),
            ],
            damaged.Found,
            named.Progress
        );
        return TypedResults.Json(resource, WireJson.Default.ScrubResource, statusCode: status);
    }

    private static ScrubPassResource? Describe(ScrubPass? pass) =>
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
