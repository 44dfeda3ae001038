using System.Security.Claims;

namespace FileTransfer.Downloads;

/// <summary>A person pauses downloads of this node, and resumes them.</summary>
public static class PauseRoutes
{
    private static readonly TimeSpan _longest = TimeSpan.FromHours(24);

    public static void MapPauses(this IEndpointRouteBuilder routes)
    {
        var pauses = routes.MapGroup("").WithTags("Files").ProducesProblems(ProblemTypes.DatabaseUnavailable);
        pauses
            .MapGet(Routes.Pauses, (PausedDownloads paused, NodeId here) => Resource(paused, here))
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("What is paused at this node: everything, buckets, files; by whom, and until when");
        pauses
            .MapPost(Routes.Pause, PauseAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary(
                "Pauses the downloads of this node: all with {}, those of a bucket, or a file; what has come of them is kept"
            )
            .WithDescription(
                "It ends by itself after `for`, 24 h at most and by default, unless `forever` is true; also where the node is started anew meanwhile."
            )
            .ProducesProblems(ProblemTypes.BadRequest);
        pauses
            .MapPost(Routes.Resume, ResumeAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Resumes downloads of this node: ends the pause of a bucket or a file, or with {} every pause there is")
            .ProducesProblems(ProblemTypes.BadRequest);
    }

    /// <param name="dryRun" example="true">Changes nothing, and says how many files it would be.</param>
    private static async Task<Results<Ok<PausesResource>, ProblemHttpResult>> PauseAsync(
        PauseRequest request,
        bool? dryRun,
        PausedDownloads paused,
        NodeId here,
        ClaimsPrincipal caller,
        CancellationToken cancellationToken
    )
    {
        var until = _longest;
        if (FaultOf(request, out var bucket, out var file) is { } fault)
        {
            return Problem.Of(ProblemTypes.BadRequest, fault);
        }

        if (request.For is { } text && (!DurationText.TryParse(text, out until) || until <= TimeSpan.Zero || until > _longest))
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"for='{Problem.Quote(text)}' is no time of up to 24 hours; write it like 30m or 2h, or \"forever\": true."
            );
        }

        var effect = await paused.PauseAsync(
            bucket,
            file,
            request.Forever == true ? null : until,
            caller.Identity?.Name,
            dryRun != true,
            cancellationToken
        );
        return Resource(paused, here, effect, dryRun == true);
    }

    /// <param name="dryRun" example="true">Changes nothing, and says how many files it would be.</param>
    private static async Task<Results<Ok<PausesResource>, ProblemHttpResult>> ResumeAsync(
        PauseRequest request,
        bool? dryRun,
        PausedDownloads paused,
        NodeId here,
        CancellationToken cancellationToken
    ) =>
        FaultOf(request, out var bucket, out var file) is { } fault ? Problem.Of(ProblemTypes.BadRequest, fault)
        : request is not { For: null, Forever: null }
            ? Problem.Of(ProblemTypes.BadRequest, "A resume has no end; leave out for and forever.")
        : Resource(paused, here, await paused.ResumeAsync(bucket, file, dryRun != true, cancellationToken), dryRun == true);

    private static string? FaultOf(PauseRequest request, out ByteString? bucket, out FileKey? file)
    {
        bucket = BucketId.TryParse(request.Bucket, out var id) ? id.Value : null;
        file = FileKey.TryParse(request.Key, out var key) ? key : null;
        return request is { Bucket: not null, Key: not null } ? "Name a bucket or a key, or neither for everything."
            : request.Bucket is { } text && bucket is null
                ? $"bucket='{Problem.Quote(text)}' is not a bucket; write it as hex digits, with or without 0x."
            : request.Key is { } other && file is null
                ? $"key='{Problem.Quote(other)}' is not a file key; write 64 hex digits, with or without 0x."
            : request is { For: not null, Forever: true } ? "It ends after a time, or never; leave out for or forever."
            : null;
    }

    private static Ok<PausesResource> Resource(
        PausedDownloads paused,
        NodeId here,
        PauseEffect? effect = null,
        bool dryRun = false
    ) =>
        TypedResults.Ok(
            new PausesResource(
                here.Value,
                [
                    .. paused.All.Select(pause => new PauseResource(
                        pause.Bucket?.ToString(),
                        pause.FileKey?.ToString(),
                        pause.IsForever ? null : pause.Until,
                        pause.PausedBy,
                        pause.PausedAt
                    )),
                ],
                effect is null ? null : dryRun,
                effect?.Files,
                effect?.Downloads
            )
        );
}
