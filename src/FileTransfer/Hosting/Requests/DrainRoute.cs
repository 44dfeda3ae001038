using FileTransfer.Hosting.Configuration;

namespace FileTransfer.Hosting.Requests;

internal static class DrainRoute
{
    public static void MapDrain(this IEndpointRouteBuilder routes) =>
        routes
            .MapPost(Routes.Drain, Drain)
            .RequireAuthorization(AccessScopes.Admin)
            .WithTags("Cluster")
            .WithSummary(
                "Stops this node as SIGTERM does: it takes no new requests, lets running ones end, leaves office, and exits"
            );

    private static Accepted<DrainResource> Drain(
        HttpContext context,
        RequestDrain drain,
        IHostApplicationLifetime lifetime,
        IOptions<ServerOptions> options,
        NodeId here
    )
    {
        // The answer first: a request that comes later is refused.
        context.Response.OnCompleted(() =>
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        });
        return TypedResults.Accepted(
            (string?)null,
            new DrainResource(here.Value, drain.Running, options.Value.DrainTimeout.TotalSeconds)
        );
    }
}
