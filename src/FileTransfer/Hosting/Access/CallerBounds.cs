using System.Threading.RateLimiting;

namespace FileTransfer.Hosting.Access;

/// <summary>Answers 429 to a caller who has as much under way as one caller may (<see cref="CallerLimits"/>): others are not kept waiting.</summary>
internal sealed class CallerBounds
{
    private const int BurstSeconds = 3;
    private static readonly TimeSpan _refill = TimeSpan.FromMilliseconds(100);

    private readonly IReadOnlyList<Bound> _bounds;

    public CallerBounds(IOptions<CallerLimits> options, TimeProvider time)
    {
        var limits = options.Value;

        // The special bounds first: what they refuse has no place among all requests.
        _bounds =
        [
            // Reading is bounded by how often: the database has answered long before another request could be counted with it.
            new Bound(
                nameof(CallerLimits.ReadsPerSecond),
                limits.ReadsPerSecond,
                IsListing,
                new KeyedLimiters<string>(_ => ReadsOf(limits.ReadsPerSecond), time)
            ),
            Of(nameof(CallerLimits.Reads), limits.Reads, IsListing),
            Of(nameof(CallerLimits.EventStreams), limits.EventStreams, IsMarked<EventAnswer>),
            Of(nameof(CallerLimits.Uploads), limits.Uploads, IsMarked<OctetBody>),
            Of(nameof(CallerLimits.Requests), limits.Requests, context => !HealthPaths.Contain(context.Request.Path)),
        ];

        Bound Of(string name, int most, Func<HttpContext, bool> concerns)
        {
            var atOnce = new ConcurrencyLimiterOptions { PermitLimit = most, QueueLimit = 0 };
            return new Bound(name, most, concerns, new KeyedLimiters<string>(_ => new ConcurrencyLimiter(atOnce), time));
        }
    }

    /// <summary>A token by its name, else an address.</summary>
    public static string CallerOf(HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true, Name: { } name } && name != AccessScopes.Anonymous
            ? SignedCallers.PeerOf(context) is { Name: var peer }
                ? $"the peer '{peer}'"
                : $"the token '{name}'"
            : $"the address {context.Connection.RemoteIpAddress}";

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var caller = CallerOf(context);
        var places = new List<RateLimitLease>(_bounds.Count);
        try
        {
            foreach (var bound in _bounds.Where(bound => bound.Concerns(context)))
            {
                var place = bound.Limiters.TryAcquire(caller);
                places.Add(place);
                if (!place.IsAcquired)
                {
                    await RefuseAsync(context, bound, caller);
                    return;
                }
            }

            await next(context);
        }
        finally
        {
            places.ForEach(place => place.Dispose());
        }
    }

    private static TokenBucketRateLimiter ReadsOf(int perSecond) =>
        new(
            new TokenBucketRateLimiterOptions
            {
                TokenLimit = perSecond * BurstSeconds,
                TokensPerPeriod = Math.Max(1, (int)(perSecond * _refill.TotalSeconds)),
                ReplenishmentPeriod = perSecond < 10 ? TimeSpan.FromSeconds(1.0 / perSecond) : _refill,
                QueueLimit = 0,
                AutoReplenishment = false,
            }
        );

    private static bool IsListing(HttpContext context) =>
        (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
        && context.GetEndpoint() is RouteEndpoint
        && !IsMarked<OctetAnswer>(context)
        && !IsMarked<EventAnswer>(context)
        && !HealthPaths.Contain(context.Request.Path)
        && !context.User.HasClaim(AccessScopes.Claim, AccessScopes.Node);

    private static bool IsMarked<T>(HttpContext context)
        where T : class => context.GetEndpoint()?.Metadata.GetMetadata<T>() is not null;

    private static Task RefuseAsync(HttpContext context, Bound bound, string caller)
    {
        var detail =
            bound.Name == nameof(CallerLimits.ReadsPerSecond)
                ? $"{caller} asks more often than {bound.Most} times a second, which is as often as one caller may; try again in a moment."
                : $"{caller} has {bound.Most} of these under way, which is as much as one caller may; end one, or try again in a moment.";
        return CallerLimits.Refusal(context.Response, bound.Name, detail).ExecuteAsync(context);
    }

    /// <param name="Name">Of the setting.</param>
    private sealed record Bound(string Name, int Most, Func<HttpContext, bool> Concerns, KeyedLimiters<string> Limiters);
}
