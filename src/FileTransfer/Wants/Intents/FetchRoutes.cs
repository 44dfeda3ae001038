using System.Security.Claims;
using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Wants.Intents;

/// <summary>Intents: a caller wants this node to have a file, and says when it does not want it any more.</summary>
public static class FetchRoutes
{
    public static void MapFetch(this IEndpointRouteBuilder routes)
    {
        var fetch = routes
            .MapGroup(Routes.Intents)
            .WithTags("Files")
            .ProducesProblems(ProblemTypes.FileUnknown, ProblemTypes.FileRemoved, ProblemTypes.DatabaseUnavailable);
        fetch
            .MapPost("", AskAsync)
            .RequireAuthorization(AccessScopes.Write)
            .WithSummary(
                "Makes an intent: this node is to have the file. Many intents, one download; 200 when it is stored already"
            )
            .ProducesProblems(ProblemTypes.BadRequest);
        fetch
            .MapGet("/{id:guid}", FindAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("One intent, and where its file stands at this node; for a day after it has ended")
            .ProducesProblems(ProblemTypes.IntentUnknown);
        fetch
            .MapDelete("/{id:guid}", WithdrawAsync)
            .RequireAuthorization(AccessScopes.Write)
            .WithSummary("Withdraws an intent; the last one ends the download, unless the policy wants the file")
            .ProducesProblems(ProblemTypes.IntentUnknown);
        routes
            .MapPost(Routes.Cancel, CancelAsync)
            .RequireAuthorization(AccessScopes.Write)
            .WithTags("Files")
            .WithSummary(
                "Gives a file up that this node is to have and has not: its download ends, its intents are withdrawn, what has come is deleted"
            )
            .ProducesProblems(
                ProblemTypes.FileUnknown,
                ProblemTypes.FileRemoved,
                ProblemTypes.NotCancellable,
                ProblemTypes.DatabaseUnavailable
            );
    }

    private static async Task<Results<Ok<FileResource>, ProblemHttpResult>> CancelAsync(
        FileKey key,
        IntentTable intents,
        FileCatalog catalog,
        ReplicaTable replicas,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        var file = await catalog.FindAsync(key, cancellationToken);
        if (file is null or { State: FileState.Removed })
        {
            return file is null ? FileProblems.Unknown(key) : FileProblems.Removed(key);
        }

        var isCancelled = await intents.CancelAsync(key, cancellationToken);
        var loads = (await replicas.DiagnoseAsync(here, key, cancellationToken))?.Loads;
        var resource = FileResource.Of(file, here, await replicas.OfAsync(key, cancellationToken));
        return isCancelled
            ? TypedResults.Ok(resource)
            : Problem.Of(
                ProblemTypes.NotCancellable,
                loads is not null
                        ? $"{key} is wanted at this node by a load that runs: {loads}. A load is given up as a whole: DELETE {Routes.Load}."
                    : resource.State is "wanted" or "downloading" or "failed" or "paused"
                        ? $"The policy of its bucket wants {key} at this node. Pause it, or change the policy."
                    : $"{key} is {resource.State} at this node; there is no download to cancel.",
                ("state", resource.State)
            );
    }

    /// <param name="id" example="0198a5d2-6f0e-7c3a-9b41-5d2f8e6a1c07">
    /// The intent's id where the caller chooses it: a request whose answer was lost can then be sent again.
    /// </param>
    private static async Task<Results<Ok<IntentResource>, Created<IntentResource>, ProblemHttpResult>> AskAsync(
        FileKey key,
        Guid? id,
        IntentTable intents,
        IntentAnswers answers,
        UnknownFiles unknown,
        ClaimsPrincipal caller,
        HttpResponse response,
        CancellationToken cancellationToken
    )
    {
        var chosen = id ?? Guid.CreateVersion7();
        var asked = await intents.AskAsync(key, chosen, caller.Identity?.Name, cancellationToken);
        if (asked.File is null && await unknown.RegisterAsync(key, cancellationToken) is { } reasons)
        {
            return reasons.Count == 0
                ? FileProblems.Unknown(key)
                : Problem.Of(
                    ProblemTypes.FileUnknown,
                    $"No file has the key {key} in this cluster, and nobody outside who was asked has it: {string.Join("; ", reasons)}.",
                    ("key", key.ToString())
                );
        }

        if (asked.File is null)
        {
            asked = await intents.AskAsync(key, chosen, caller.Identity?.Name, cancellationToken);
        }

        if (asked.IsTooMuch)
        {
            return CallerLimits.Refusal(
                response,
                nameof(CallerLimits.Intents),
                $"'{caller.Identity?.Name}' has as many open intents at this node as one caller may; withdraw some, or wait until some have ended."
            );
        }

        if (asked is not { File: { } file, Intent: { } intent })
        {
            return asked.File switch
            {
                null => FileProblems.Unknown(key),
                { State: FileState.Removed } => FileProblems.Removed(key),
                _ => Problem.Of(
                    ProblemTypes.BadRequest,
                    $"The id {chosen} already belongs to an intent for another file or on another node; choose a different id, or omit it."
                ),
            };
        }

        var answer = await answers.AnswerAsync(file, intent, asked.WantsAnew, cancellationToken);
        return answer.Outcome is null
            ? TypedResults.Created($"{Routes.Of(Routes.Intents, key)}/{intent.Id}", answer)
            : TypedResults.Ok(answer);
    }

    /// <param name="id" example="0198a5d2-6f0e-7c3a-9b41-5d2f8e6a1c07">The intent's id.</param>
    private static async Task<Results<Ok<IntentResource>, ProblemHttpResult>> FindAsync(
        FileKey key,
        Guid id,
        IntentTable intents,
        IntentAnswers answers,
        CancellationToken cancellationToken
    )
    {
        return await intents.SettledAsync(key, id, cancellationToken) is { } intent
            ? TypedResults.Ok(await answers.DescribeAsync(intent, cancellationToken))
            : await answers.UnknownAsync(key, id, cancellationToken);
    }

    /// <param name="id" example="0198a5d2-6f0e-7c3a-9b41-5d2f8e6a1c07">The intent's id.</param>
    private static async Task<Results<Ok<IntentResource>, ProblemHttpResult>> WithdrawAsync(
        FileKey key,
        Guid id,
        IntentTable intents,
        IntentAnswers answers,
        CancellationToken cancellationToken
    )
    {
        var withdrawn = await intents.WithdrawAsync(key, id, cancellationToken);
        return withdrawn.Intent is { } intent
            ? TypedResults.Ok(await answers.AnswerAsync(intent, withdrawn.GivesUp, cancellationToken))
            : await answers.UnknownAsync(key, id, cancellationToken);
    }
}
