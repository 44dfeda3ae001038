using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Serving;

/// <summary>Tells a reader who asks for what cannot be read here who has it. Nodes know by themselves, and are told "not here" alone.</summary>
public sealed class ContentElsewhere(ReplicaTable replicas, NodeId here)
{
    /// <summary>A file that somebody has is here within seconds as a rule.</summary>
    private const int RetryAfterSeconds = 2;

    /// <summary>The problem itself, or <see cref="ProblemTypes.FileElsewhere"/> where other nodes have the file stored.</summary>
    public async Task<ProblemHttpResult> InsteadOfAsync(ProblemHttpResult problem, FileKey key, HttpContext context)
    {
        if (problem.ProblemDetails.Type != ProblemTypes.FileNotStored.Urn || NodeHeader.Of(context) is not null)
        {
            return problem;
        }

        var holders = await replicas.HoldersOfAsync(here, key, context.RequestAborted);
        if (holders.Count == 0)
        {
            return problem;
        }

        context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        var state = problem.ProblemDetails.Extensions["state"];
        return Problem.Of(
            ProblemTypes.FileElsewhere,
            $"The file {key} is {state} at this node. Ask {string.Join(" or ", holders.Select(holder => $"'{holder.Node}' at {holder.Url.OriginalString}"))}, "
                + $"or this node again in {RetryAfterSeconds} seconds; GET /v1/files/{key}/explain says what it waits for.",
            ("key", key.ToString()),
            ("state", state),
            ("nodes", holders.Select(holder => holder.Node.Value).ToArray()),
            ("urls", holders.Select(holder => holder.Url.OriginalString).ToArray())
        );
    }
}
