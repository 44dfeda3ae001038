using System.Text.Json.Serialization;
using FileTransfer.Chunks.Folder;
using FileTransfer.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FileTransfer.Catalog.Repair;

/// <summary>The contents that no file of the node refers to.</summary>
/// <param name="HeldSince">Since when nothing is collected; null while collection goes on.</param>
/// <param name="HeldBecause">Why nothing is collected.</param>
/// <param name="WaitsBecause">Why contents are kept until a person decides, and what to do; null where none are.</param>
/// <param name="Count" example="2">How many there are.</param>
/// <param name="Bytes" example="4096">Their bytes.</param>
/// <param name="Orphans">The first 10,000, those that were seen first first.</param>
public sealed record OrphansResource(
    DateTimeOffset? HeldSince,
    string? HeldBecause,
    string? WaitsBecause,
    int Count,
    long Bytes,
    IReadOnlyList<OrphanResource> Orphans
);

/// <summary>A content that no file of the node refers to.</summary>
/// <param name="FirstSeen">When this was first found out.</param>
/// <param name="Due">Whether the grace time is over.</param>
/// <param name="Unexplained">The catalog has never heard of one of its files.</param>
/// <param name="Files">The files that the node's folder remembers to be of it.</param>
public sealed record OrphanResource(
    string Fingerprint,
    long Size,
    DateTimeOffset FirstSeen,
    bool Due,
    bool Unexplained,
    IReadOnlyList<OrphanFileResource> Files
);

/// <summary>A file by its key and its name in its bucket.</summary>
/// <param name="Location">Null where it is not UTF-8.</param>
public sealed record OrphanFileResource(string Key, string Bucket, string? Location);

/// <summary>What was deleted.</summary>
public sealed record OrphansDiscarded(int Count, long Bytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OrphansResource))]
[JsonSerializable(typeof(OrphansDiscarded))]
internal sealed partial class OrphanJson : JsonSerializerContext;

/// <summary>Lists and discards the contents that no file of this node refers to.</summary>
public static class OrphanRoutes
{
    private const int MostListed = 10_000;

    public static void MapOrphans(this IEndpointRouteBuilder routes)
    {
        var orphans = routes.MapGroup("/v1/orphans").RequireAuthorization(AccessScopes.Admin).WithTags("Orphans");
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
