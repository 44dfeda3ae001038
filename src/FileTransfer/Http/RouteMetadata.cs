using Microsoft.AspNetCore.Mvc;

namespace FileTransfer.Http;

/// <summary>What a route says about itself, for the description of the interface and for the server's limits.</summary>
public static class RouteMetadata
{
    /// <summary>Declares the problems a route answers with.</summary>
    public static TBuilder ProducesProblems<TBuilder>(this TBuilder route, params ProblemType[] problems)
        where TBuilder : IEndpointConventionBuilder
    {
        foreach (var status in problems.Select(problem => problem.Status).Distinct())
        {
            route.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ProblemDetails), [Problem.ContentType]));
        }

        return route.WithMetadata(new DeclaredProblems(problems));
    }

    /// <summary>Lifts the limit on the length of the body, for routes that stream it.</summary>
    public static TBuilder AcceptsBodyOfAnySize<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new DisableRequestSizeLimitAttribute());
}

/// <summary>The problems a route declares; a route may carry several of these, from its group and its own.</summary>
public sealed record DeclaredProblems(IReadOnlyList<ProblemType> Types);
