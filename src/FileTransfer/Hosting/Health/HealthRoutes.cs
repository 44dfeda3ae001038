using FileTransfer.Cluster;
using FileTransfer.Hosting.Configuration;
using FileTransfer.Hosting.Requests;

namespace FileTransfer.Hosting.Health;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/startup</c>: it has got as far as to be asked for anything. <c>/health/ready</c>, <c>/health/cluster/read</c>: it serves reads.
/// <c>/health/cluster</c>: the cluster takes writes. The last three tell every check there is; what differs is what refuses.
/// </summary>
internal static class HealthRoutes
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup(Routes.Health).AllowAnonymous().WithTags("Health");
        string[] methods = [HttpMethods.Get, HttpMethods.Head];
        health.MapMethods("/live", methods, Live).Produces<HealthAnswer>();
        health
            .MapMethods("/ready", methods, ReadyAsync)
            .Produces<HealthAnswer>()
            .Produces<HealthAnswer>(StatusCodes.Status503ServiceUnavailable);
        health
            .MapMethods("/startup", methods, Startup)
            .Produces<HealthAnswer>()
            .Produces<HealthAnswer>(StatusCodes.Status503ServiceUnavailable);
        health
            .MapMethods("/cluster", methods, ClusterAsync)
            .Produces<HealthAnswer>()
            .Produces<HealthAnswer>(StatusCodes.Status503ServiceUnavailable);
        health
            .MapMethods("/cluster/read", methods, ClusterReadAsync)
            .Produces<HealthAnswer>()
            .Produces<HealthAnswer>(StatusCodes.Status503ServiceUnavailable);
        health
            .MapMethods("/leader", methods, Leader)
            .Produces<HealthAnswer>()
            .Produces<HealthAnswer>(StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>Whether this node leads, for balancers that send it the writes: 200 <c>leading</c>, or 503 <c>following</c> or <c>draining</c>.</summary>
    private static JsonHttpResult<HealthAnswer> Leader(HttpContext context, Leadership leadership, RequestDrain drain)
    {
        var status =
            drain.IsDraining ? "draining"
            : leadership.IsLeading ? "leading"
            : "following";
        return Answer(context, new HealthAnswer(status, null), ok: status == "leading");
    }

    /// <summary>Whether the process answers at all.</summary>
    private static JsonHttpResult<HealthAnswer> Live(HttpContext context) =>
        Answer(context, new HealthAnswer("healthy", null), ok: true);

    /// <summary>Whether this node serves what it has: 503 while it starts, while it stops, and while a check says that it cannot. <c>FileTransfer:Health:ReadyWhen</c> makes it stricter.</summary>
    private static Task<JsonHttpResult<HealthAnswer>> ReadyAsync(
        HttpContext context,
        NodeHealth health,
        IOptions<HealthOptions> options,
        CancellationToken cancellationToken
    ) => AskAsync(context, health, options.Value.ReadyWhen, cancellationToken);

    /// <summary>Whether the cluster takes uploads and removals now, asked at any of its nodes: 503 while its database is away or nobody leads.</summary>
    private static Task<JsonHttpResult<HealthAnswer>> ClusterAsync(
        HttpContext context,
        NodeHealth health,
        CancellationToken cancellationToken
    ) => AskAsync(context, health, ReadyWhen.Writes, cancellationToken);

    /// <summary>Whether contents can be read here, whatever <c>FileTransfer:Health:ReadyWhen</c> asks of <c>/health/ready</c>: for balancers of readers. A database that is away does not keep a node from serving.</summary>
    private static Task<JsonHttpResult<HealthAnswer>> ClusterReadAsync(
        HttpContext context,
        NodeHealth health,
        CancellationToken cancellationToken
    ) => AskAsync(context, health, ReadyWhen.Reads, cancellationToken);

    /// <summary>Whether the node has found its database fit and its schema made since its process began; from then on 200, whatever happens. 503 <c>starting</c> before, with what it waits for.</summary>
    private static JsonHttpResult<HealthAnswer> Startup(HttpContext context, NodeHealth health)
    {
        var answer = health.Startup();
        return Answer(context, answer, ok: answer.Status == "healthy");
    }

    private static async Task<JsonHttpResult<HealthAnswer>> AskAsync(
        HttpContext context,
        NodeHealth health,
        ReadyWhen required,
        CancellationToken cancellationToken
    )
    {
        var answer = await health.AskAsync(required, cancellationToken);
        var ok = answer.Status == "healthy" || (answer.Status == "degraded" && required != ReadyWhen.Healthy);
        return Answer(context, answer, ok);
    }

    private static JsonHttpResult<HealthAnswer> Answer(HttpContext context, HealthAnswer answer, bool ok)
    {
        context.Response.Headers.CacheControl = "no-store";
        // What ails a node is for those who may read; a balancer needs the status alone.
        answer = context.User.HasClaim(AccessScopes.Claim, AccessScopes.Read)
            ? answer
            : answer with
            {
                Checks = null,
                Disk = null,
            };
        return TypedResults.Json(answer, WireJson.Default.HealthAnswer, statusCode: ok ? 200 : 503);
    }
}
