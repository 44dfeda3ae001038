using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Sources;

namespace FileTransfer.Wants.Loads;

/// <summary>A cluster is born from a share, or comes back from one.</summary>
public static class AdoptRoute
{
    public static void MapAdopt(this IEndpointRouteBuilder routes) =>
        routes
            .MapPost(Routes.Adopt, AdoptAsync)
            .RequireAuthorization(AccessScopes.Write)
            .WithTags("Loads")
            .WithSummary("Registers and wants the files that a configured share lists, as far as their keys prove their metadata")
            .ProducesProblems(
                ProblemTypes.BadRequest,
                ProblemTypes.SourceUnknown,
                ProblemTypes.SourceFailed,
                ProblemTypes.CommitUnconfirmed,
                ProblemTypes.DatabaseUnavailable
            );

    /// <param name="name" example="mirror">The share, as <c>FileTransfer:Sources</c> names it.</param>
    /// <param name="bucket" example="0x2222222222222222222222222222222222222222222222222222222222222222">Only files of this bucket, in hex.</param>
    /// <param name="readd" example="false">Files among them that were removed are added again.</param>
    private static async Task<Results<Ok<AdoptedResource>, ProblemHttpResult>> AdoptAsync(
        string name,
        string? bucket,
        bool? readd,
        SourceRegistry sources,
        Adoption adoption,
        CancellationToken cancellationToken
    )
    {
        BucketId? only = null;
        if (bucket is not null)
        {
            if (!BucketId.TryParse(bucket, out var parsed))
            {
                return Problem.Of(ProblemTypes.BadRequest, $"bucket is '{Problem.Quote(bucket)}'; write it in hex.");
            }

            only = parsed;
        }

        if (sources.Find(new SourceId($"share {name}")) is not ShareSource share)
        {
            return Problem.Of(
                ProblemTypes.SourceUnknown,
                $"This node has no share '{Problem.Quote(name)}'; it is to be one of FileTransfer:Sources, with Kind Share."
            );
        }

        try
        {
            return TypedResults.Ok(await adoption.RunAsync(share, only, readd ?? false, cancellationToken));
        }
        catch (SourceException fault)
        {
            return Problem.Of(ProblemTypes.SourceFailed, $"{fault.Message}. What was listed before has been taken in.");
        }
    }
}
