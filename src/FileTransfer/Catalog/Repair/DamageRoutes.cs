using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;

namespace FileTransfer.Catalog.Repair;

/// <summary>Takes complaints of readers who prove what they get.</summary>
public static class DamageRoutes
{
    /// <summary>A reader does not wait longer for the proof of a large content; it goes on without him.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private const int LongestReason = 500;

    public static void MapDamage(this IEndpointRouteBuilder routes) =>
        routes
            .MapPost(Routes.Damage, ReportAsync)
            .RequireAuthorization(AccessScopes.Node)
            .WithTags("Files")
            .WithSummary("Tells this node that it sent wrong bytes of a file: it proves its own copy, and says what it found")
            .WithDescription(
                "A copy that is damaged is set aside, and brought back from another node. 202 when the proof takes longer than 20 seconds."
            )
            .Produces<DamageFinding>()
            .Produces<DamageFinding>(StatusCodes.Status202Accepted)
            .ProducesProblems(
                ProblemTypes.BadRequest,
                ProblemTypes.FileUnknown,
                ProblemTypes.FileRemoved,
                ProblemTypes.FileNotStored,
                ProblemTypes.DatabaseUnavailable
            );

    private static async Task<IResult> ReportAsync(
        FileKey key,
        DamageReport? report,
        FileCatalog catalog,
        ReplicaTable replicas,
        DamagedContents damaged,
        NodeId here,
        TimeProvider time,
        HttpContext context
    )
    {
        var gone = context.RequestAborted;
        var file = await catalog.FindAsync(key, gone);
        var replica = await replicas.FindAsync(here, key, gone);
        if (file is null || replica?.State != ReplicaState.Stored)
        {
            return FileProblems.NotReadable(key, file, replica);
        }

        var examined = damaged.ExamineAsync(file.Fingerprint, file.Size, DoubtOf(report, context), CancellationToken.None);
        try
        {
            return TypedResults.Ok(Describe(key, await examined.WaitAsync(_patience, time, gone)));
        }
        catch (TimeoutException) when (!examined.IsCompleted)
        {
            return TypedResults.Json(
                new DamageFinding(key.ToString(), "proving", null),
                WireJson.Default.DamageFinding,
                statusCode: StatusCodes.Status202Accepted
            );
        }
    }

    private static DamageFinding Describe(FileKey key, ContentFinding finding) =>
        finding switch
        {
            ContentFinding.Damaged { Reason: var reason } => new DamageFinding(key.ToString(), "damaged", reason),
            ContentFinding.Intact { HashesMended: true } => new DamageFinding(key.ToString(), "mended", null),
            ContentFinding.Intact => new DamageFinding(key.ToString(), "intact", null),
            _ => new DamageFinding(key.ToString(), "absent", null),
        };

    private static string DoubtOf(DamageReport? report, HttpContext context)
    {
        var who = NodeHeader.Of(context) is { } node ? $"node '{node}'" : "a reader";
        var chunk = report?.Chunk is { } id ? $" of chunk {id}" : "";
        var reason = report?.Reason is { Length: > 0 } words
            ? $": {(words.Length > LongestReason ? words[..LongestReason] : words)}"
            : "";
        return $"{who} complains{chunk}{reason}";
    }
}
