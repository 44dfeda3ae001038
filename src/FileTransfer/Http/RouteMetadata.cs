using Microsoft.AspNetCore.Mvc;

namespace FileTransfer.Http;

/// <summary>What a route says about itself, for the description of the interface and for the server's limits.</summary>
public static class RouteMetadata
{
    /// <summary>The media type of bytes that are nothing more than that.</summary>
    public const string Octets = "application/octet-stream";

    /// <summary>Declares the problems a route answers with, except those that follow from its scope, its file key or its body.</summary>
    public static TBuilder ProducesProblems<TBuilder>(this TBuilder route, params ProblemType[] problems)
        where TBuilder : IEndpointConventionBuilder
    {
        foreach (var status in problems.Select(problem => problem.Status).Distinct())
        {
            route.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ProblemDetails), [Problem.ContentType]));
        }

        return route.WithMetadata(new DeclaredProblems(problems));
    }

    /// <summary>Declares that the route takes a body of octets of any size. Its Content-Type is the route's to look at.</summary>
    public static TBuilder TakesOctets<TBuilder>(this TBuilder route, string description, string mediaType = Octets)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new OctetBody(description, mediaType)).AcceptsBodyOfAnySize();

    /// <summary>Declares that the route answers with octets, whole or in part, and takes conditions, as <see cref="ContentResponse"/> does.</summary>
    public static TBuilder ServesOctets<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder =>
        route
            .WithMetadata(
                new OctetAnswer(),
                new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(Stream), [Octets]),
                new ProducesResponseTypeMetadata(StatusCodes.Status206PartialContent, typeof(Stream), [Octets]),
                new ProducesResponseTypeMetadata(StatusCodes.Status304NotModified, typeof(void))
            )
            .ProducesProblems(ProblemTypes.PreconditionFailed, ProblemTypes.RangeUnsatisfiable);

    /// <summary>Declares that the route answers with server-sent events and takes <c>Last-Event-ID</c>.</summary>
    public static TBuilder ServesEvents<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(
            new EventAnswer(),
            new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(string), [EventStreamWriter.ContentType])
        );

    /// <summary>Lifts the limit on the length of the body, for routes that stream it.</summary>
    public static TBuilder AcceptsBodyOfAnySize<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new DisableRequestSizeLimitAttribute());
}

/// <summary>The problems a route declares; a route may carry several of these, from its group and its own.</summary>
public sealed record DeclaredProblems(IReadOnlyList<ProblemType> Types);

/// <summary>The route takes octets as its body.</summary>
public sealed record OctetBody(string Description, string MediaType);

/// <summary>The route answers with octets, whole or in part.</summary>
public sealed record OctetAnswer;

/// <summary>The route answers with server-sent events.</summary>
public sealed record EventAnswer;
