namespace FileTransfer.Operations;

internal static class WorkerRoutes
{
    private static readonly TimeSpan _longestPause = TimeSpan.FromHours(24);
    private static readonly TimeSpan _usualPause = TimeSpan.FromHours(1);

    public static void MapWorkers(this IEndpointRouteBuilder routes)
    {
        var workers = routes.MapGroup("").WithTags("Cluster");
        workers
            .MapGet(
                Routes.Workers,
                (WorkerRegistry all, NodeId here) =>
                    TypedResults.Ok(new WorkersResource(here.Value, [.. all.All.Select(Describe)]))
            )
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("The background activities of this node: state, progress, last error, pace");
        workers
            .MapPost(Routes.WorkerPause, Pause)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Pauses a background activity of this node after what it does now; the pause ends by itself")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.WorkerUnknown);
        workers
            .MapPost(Routes.WorkerResume, Resume)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Ends the pause of a background activity")
            .ProducesProblems(ProblemTypes.WorkerUnknown);
        workers
            .MapPut(Routes.Worker, Set)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Sets the pace of a background activity until the process ends")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.WorkerUnknown);
    }

    /// <param name="worker" example="orphans">Its name.</param>
    private static Results<Ok<WorkerResource>, ProblemHttpResult> Pause(
        string worker,
        WorkerPauseRequest request,
        WorkerRegistry all
    )
    {
        var period = _usualPause;
        return all.Find(worker) is not { } found ? Unknown(worker)
            : !found.CanPause ? Problem.Of(ProblemTypes.BadRequest, $"The worker '{worker}' cannot be paused.")
            : request.For is { } text
            && (!DurationText.TryParse(text, out period) || period <= TimeSpan.Zero || period > _longestPause)
                ? Problem.Of(
                    ProblemTypes.BadRequest,
                    $"for='{Problem.Quote(text)}' is no time of up to 24 hours; write it like 30m or 2h."
                )
            : Answer(found, () => found.PauseFor(period));
    }

    /// <param name="worker" example="orphans">Its name.</param>
    private static Results<Ok<WorkerResource>, ProblemHttpResult> Resume(string worker, WorkerRegistry all) =>
        all.Find(worker) is { } found ? Answer(found, found.Resume) : Unknown(worker);

    /// <param name="worker" example="orphans">Its name.</param>
    private static Results<Ok<WorkerResource>, ProblemHttpResult> Set(string worker, WorkerSettings settings, WorkerRegistry all)
    {
        var pace = TimeSpan.Zero;
        return all.Find(worker) is not { } found ? Unknown(worker)
            : !found.HasPace
                ? Problem.Of(
                    ProblemTypes.BadRequest,
                    $"The worker '{worker}' has no pace of its own: it works whenever there is work."
                )
            : settings.Pace is { } text && (!DurationText.TryParse(text, out pace) || pace <= TimeSpan.Zero)
                ? Problem.Of(
                    ProblemTypes.BadRequest,
                    $"pace='{Problem.Quote(text)}' is no time of up to 30 days; write it like 500ms, 30s or 5m."
                )
            : Answer(found, () => found.Set(settings.Pace is null ? null : pace));
    }

    private static Ok<WorkerResource> Answer(Worker worker, Action change)
    {
        change();
        return TypedResults.Ok(Describe(worker));
    }

    private static ProblemHttpResult Unknown(string worker) =>
        Problem.Of(
            ProblemTypes.WorkerUnknown,
            $"This node has no worker '{Problem.Quote(worker)}'; GET /v1/workers has their names.",
            ("worker", worker)
        );

    private static WorkerResource Describe(Worker worker) =>
        new(
            worker.Name,
            worker.About,
            worker.WorkingSince is not null ? "working"
                : worker.PausedUntil is not null ? "paused"
                : "idle",
            worker.WorkingSince ?? worker.EndedAt,
            worker.Progress(),
            worker.Rounds,
            worker.LastError,
            worker.LastErrorAt,
            worker.Pace?.TotalSeconds,
            worker.PausedUntil
        );
}
