using FileTransfer.Chunks.Folder;

namespace FileTransfer.Catalog.Repair;

/// <summary>Lists and discards the contents that no file of this node refers to.</summary>
public static class OrphanRoutes
{
    private const int MostListed = 10_000;

    public static void MapOrphans(this IEndpointRouteBuilder routes)
    {
        var orphans = routes.MapGroup(Routes.Orphans).RequireAuthorization(AccessScopes.Admin).WithTags("Orphans");
        orphans
            .MapGet("", ListAsync)
            .WithSummary("The contents of this node that no file refers to, and why they are kept")
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);
        orphans
            .MapDelete("", DiscardAsync)
            .WithSummary(
                "Deletes the contents of this node that no file refers to, as of its last look, and lets collection go on"
            )
            .WithDescription("What a file has come to refer to since stays. What is deleted cannot be brought back.")
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);
        orphans
            .MapDelete("/hold", Release)
            .WithSummary("Lets this node collect again, within its bounds, what no file refers to: a person has looked");
    }

    private static async Task<Ok<OrphansResource>> ListAsync(
        OrphanCollector collector,
        NodeFile folder,
        CancellationToken cancellationToken
    )
    {
        var orphans = await collector.FindAsync(cancellationToken);
        return TypedResults.Ok(
            new OrphansResource(
                folder.Hold?.Since,
                folder.Hold?.Because,
                collector.WaitsBecause,
                orphans.Count,
                orphans.Sum(orphan => orphan.Size),
                [
                    .. orphans
                        .Take(MostListed)
                        .Select(orphan => new OrphanResource(
                            orphan.Content.Fingerprint.ToString(),
                            orphan.Size,
                            orphan.Content.FirstSeen,
                            orphan.IsDue,
                            orphan.IsUnexplained,
                            [
                                .. orphan.Files.Select(file => new OrphanFileResource(
                                    file.Key.ToString(),
                                    file.Metadata.Bucket.ToString(),
                                    file.Metadata.Location.AsUtf8()
                                )),
                            ]
                        )),
                ]
            )
        );
    }

    private static NoContent Release(NodeFile folder)
    {
        folder.EndHold();
        return TypedResults.NoContent();
    }

    private static async Task<Ok<OrphansDiscarded>> DiscardAsync(OrphanCollector collector, CancellationToken cancellationToken)
    {
        var deleted = await collector.DiscardAsync(cancellationToken);
        return TypedResults.Ok(new OrphansDiscarded(deleted.Count, deleted.Sum(orphan => orphan.Size)));
    }
}
