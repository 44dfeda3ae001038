using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;

namespace FileTransfer.Hosting.Access;

/// <summary>Answers 429 to a caller who has as much under way as one caller may (<see cref="CallerLimits"/>): others are not kept waiting.</summary>
internal static class CallerBounds
{
    private const int BurstSeconds = 3;
    private static readonly TimeSpan _refill = TimeSpan.FromMilliseconds(100);

    public static void AddCallerBounds(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<UploadBytes>();
        builder.Services.AddRateLimiter(_ => { });
        builder
            .Services.AddOptions<RateLimiterOptions>()
            .Configure<IOptions<CallerLimits>>((limiter, limits) => Set(limiter, limits.Value));
    }

    /// <summary>A token by its name, else an address.</summary>
    public static string CallerOf(HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true, Name: { } name } && name != AccessScopes.Anonymous
            ? SignedCallers.PeerOf(context) is { Name: var peer }
                ? $"the peer '{peer}'"
                : $"the token '{name}'"
            : $"the address {context.Connection.RemoteIpAddress}";

    private static void Set(RateLimiterOptions limiter, CallerLimits limits)
    {
        // The special bounds first: what they refuse has no place among all requests.
        limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(
            ReadsOf(limits.ReadsPerSecond),
            Of(nameof(CallerLimits.Reads), limits.Reads, IsListing),
            Of(nameof(CallerLimits.EventStreams), limits.EventStreams, IsMarked<EventAnswer>),
            Of(nameof(CallerLimits.Uploads), limits.Uploads, IsMarked<OctetBody>),
            Of(nameof(CallerLimits.Requests), limits.Requests, context => !HealthPaths.Contain(context.Request.Path))
        );
        limiter.OnRejected = RefuseAsync;
    }

    private static PartitionedRateLimiter<HttpContext> Of(string bound, int most, Func<HttpContext, bool> concerns) =>
        PartitionedRateLimiter.Create<HttpContext, string>(context =>
        {
            if (!concerns(context))
            {
                return RateLimitPartition.GetNoLimiter("");
            }

            // The last one that was asked is the one that refuses.
            context.Items[typeof(CallerBounds)] = (bound, most);
            return RateLimitPartition.GetConcurrencyLimiter(
                CallerOf(context),
                _ => new ConcurrencyLimiterOptions { PermitLimit = most, QueueLimit = 0 }
            );
        });

    /// <summary>Reading is bounded by how often: the database has answered long before another request could be counted with it.</summary>
    private static PartitionedRateLimiter<HttpContext> ReadsOf(int perSecond) =>
        PartitionedRateLimiter.Create<HttpContext, string>(context =>
        {
            if (!IsListing(context))
            {
                return RateLimitPartition.GetNoLimiter("");
            }

            context.Items[typeof(CallerBounds)] = (nameof(CallerLimits.ReadsPerSecond), perSecond);
            return RateLimitPartition.GetTokenBucketLimiter(
                CallerOf(context),
                _ => new TokenBucketRateLimiterOptions
                {
                    TokenLimit = perSecond * BurstSeconds,
                    TokensPerPeriod = Math.Max(1, (int)(perSecond * _refill.TotalSeconds)),
                    ReplenishmentPeriod = perSecond < 10 ? TimeSpan.FromSeconds(1.0 / perSecond) : _refill,
                    QueueLimit = 0,
                }
            );
        });

    private static bool IsListing(HttpContext context) =>
        (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
        && context.GetEndpoint() is RouteEndpoint
        && !IsMarked<OctetAnswer>(context)
        && !IsMarked<EventAnswer>(context)
        && !HealthPaths.Contain(context.Request.Path)
        && !context.User.HasClaim(AccessScopes.Claim, AccessScopes.Node);

    private static bool IsMarked<T>(HttpContext context)
        where T : class => context.GetEndpoint()?.Metadata.GetMetadata<T>() is not null;

    private static async ValueTask RefuseAsync(OnRejectedContext rejected, CancellationToken cancellationToken)
    {
        var context = rejected.HttpContext;
        var (bound, most) = ((string, int))context.Items[typeof(CallerBounds)]!;
        var detail =
            bound == nameof(CallerLimits.ReadsPerSecond)
                ? $"{CallerOf(context)} asks more often than {most} times a second, which is as often as one caller may; try again in a moment."
                : $"{CallerOf(context)} has {most} of these under way, which is as much as one caller may; end one, or try again in a moment.";
        await CallerLimits.Refusal(context.Response, bound, detail).ExecuteAsync(context);
    }
}
