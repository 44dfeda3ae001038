using FileTransfer.Catalog;

namespace FileTransfer.Operations;

/// <summary>"Why is it not here?"</summary>
public static class ExplainRoute
{
    public static void MapExplain(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Explain, ExplainAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Files")
            .WithSummary("Why a file is not at this node, in words, with the facts; or that it is")
            .ProducesProblems(ProblemTypes.FileUnknown, ProblemTypes.DatabaseUnavailable);

    private static async Task<Results<Ok<ExplanationResource>, ProblemHttpResult>> ExplainAsync(
        FileKey key,
        Explainer explainer,
        CancellationToken cancellationToken
    )
    {
        return await explainer.FindAsync(key, cancellationToken) is { } file
            ? TypedResults.Ok(ExplanationResource.Of(file))
            : FileProblems.Unknown(key);
    }
}
