using FileTransfer.Chunks;

namespace FileTransfer.Exports;

/// <summary>Exports that the node runs itself.</summary>
public static class ExportRoutes
{
    private const int MostKeys = 100_000;
    private static readonly TimeSpan _longestHold = TimeSpan.FromDays(30);

    public static void AddExports(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ExportJobs>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ExportJobs>());
    }

    public static void MapExports(this IEndpointRouteBuilder routes)
    {
        var exports = routes.MapGroup(Routes.Exports).WithTags("Exports").RequireAuthorization(AccessScopes.Admin);
        exports
            .MapPost("", Start)
            .WithSummary("Writes stored files of this node to a folder below FileTransfer:ExportFolder, or goes on with it")
            .ProducesProblems(
                ProblemTypes.BadRequest,
                ProblemTypes.FileKeyMalformed,
                ProblemTypes.ExportsNotConfigured,
                ProblemTypes.ExportRunning
            );
        exports
            .MapGet(
                "",
                (ExportJobs jobs, NodeId here) =>
                    TypedResults.Ok(new ExportsResource(here.Value, [.. jobs.All.Select(job => job.Describe())]))
            )
            .WithSummary("The last export under each name since this node started, and how far it is");
        exports.MapGet("/{name}", Find).WithSummary("How far an export is").ProducesProblems(ProblemTypes.ExportUnknown);
        exports
            .MapDelete("/{name}", CancelAsync)
            .WithSummary(
                "Ends an export, also in the middle of a file; what it has written stays, and the next one goes on with it"
            )
            .ProducesProblems(ProblemTypes.ExportUnknown);
    }

    /// <param name="name" example="mirror">The export.</param>
    private static Results<Ok<ExportResource>, ProblemHttpResult> Find(string name, ExportJobs jobs) =>
        jobs.Find(name) is { } job ? TypedResults.Ok(job.Describe()) : Unknown(name);

    private static Results<Created<ExportResource>, ProblemHttpResult> Start(
        ExportRequest request,
        ExportJobs jobs,
        IOptions<StoreOptions> options
    )
    {
        if (options.Value.ExportFolder is not { } root)
        {
            return Problem.Of(
                ProblemTypes.ExportsNotConfigured,
                "This node writes no shares: name a folder in FileTransfer:ExportFolder, or run 'filetransfer export FOLDER' instead."
            );
        }

        var (order, wrong) = Read(request);
        if (order is null)
        {
            return wrong!;
        }

        return jobs.TryStart(request, root, order, out var job)
            ? TypedResults.Created(Routes.Of(Routes.Export, job.Name), job.Describe())
            : Problem.Of(
                ProblemTypes.ExportRunning,
                $"The export '{job.Name}' is running, and one runs at a time. Wait for its end, or DELETE {Routes.Of(Routes.Export, job.Name)}.",
                ("name", job.Name)
            );
    }

    /// <returns>What it asks for, or why that cannot be done.</returns>
    internal static (ExportOrder? Order, ProblemHttpResult? Wrong) Read(ExportRequest request)
    {
        if (FaultOf(request) is { } wrong)
        {
            return (null, Problem.Of(ProblemTypes.BadRequest, wrong));
        }

        var keys = new List<FileKey>();
        foreach (var text in request.Keys ?? [])
        {
            if (!FileKey.TryParse(text ?? "", out var key))
            {
                var what = $"'{Problem.Quote(text ?? "")}' is no file key; write 64 hex digits.";
                return (null, Problem.Of(ProblemTypes.FileKeyMalformed, what));
            }

            keys.Add(key);
        }

        var bucket = request.Bucket is { } hex && ByteString.TryParseHex(hex, out var id) ? id : (ByteString?)null;
        var order = new ExportOrder(
            new ExportFilter(bucket, request.Location),
            request.Keys is null ? null : keys,
            request.Verify ?? false,
            request.Prune == true ? request.Hold ?? TimeSpan.Zero : null
        );
        return (order, null);
    }

    /// <param name="name" example="mirror">The export.</param>
    private static async Task<Results<Ok<ExportResource>, ProblemHttpResult>> CancelAsync(
        string name,
        ExportJobs jobs,
        CancellationToken cancellationToken
    )
    {
        if (jobs.Find(name) is not { } job)
        {
            return Unknown(name);
        }

        await job.CancelAsync();
        await job.Work.WaitAsync(cancellationToken);
        return TypedResults.Ok(job.Describe());
    }

    /// <summary>The name becomes a part of a path: it leads nowhere but into the configured folder.</summary>
    private static string? FaultOf(ExportRequest request) =>
        request.Name is not { } name || NodeId.FromText(name) is null || name[0] == '.'
            ? $"name is '{Problem.Quote(request.Name ?? "")}'; write 1 to 64 letters, digits, '.', '_' or '-', and no '.' first."
        : request.Bucket is { } bucket && !ByteString.TryParseHex(bucket, out _)
            ? $"bucket is '{Problem.Quote(bucket)}'; write it in hex."
        : request.Keys is { Count: 0 or > MostKeys } keys
            ? $"keys has {keys.Count} entries; write 1 to {MostKeys}, or leave it out."
        : request.Keys is not null && (request.Bucket ?? request.Location) is not null
            ? "Files are named by keys or by bucket and location, not by both."
        : request.Hold is { } hold && (request.Prune != true || hold < TimeSpan.Zero || hold > _longestHold)
            ? $"hold is {hold}; write a time up to {_longestHold:c}, and prune with it."
        : null;

    private static ProblemHttpResult Unknown(string name) =>
        Problem.Of(
            ProblemTypes.ExportUnknown,
            $"This node has run no export '{Problem.Quote(name)}' since it started; see GET {Routes.Exports}."
        );
}
