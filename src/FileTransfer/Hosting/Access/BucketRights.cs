using FileTransfer.Catalog;

namespace FileTransfer.Hosting.Access;

/// <summary>Keeps a token that is for some buckets to what is of these: a route that does not say which bucket it is about is closed to it.</summary>
internal static class BucketRights
{
    public const string Claim = "bucket";

    public static async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var allowed = context.User.FindAll(Claim).Select(claim => claim.Value).ToHashSet(StringComparer.Ordinal);
        if (allowed.Count == 0 || HealthPaths.Contain(context.Request.Path))
        {
            await next(context);
            return;
        }

        var bucket = await BucketOfAsync(context);
        if (bucket is not null && allowed.Contains(bucket))
        {
            await next(context);
            return;
        }

        await Problem
            .Of(
                ProblemTypes.Forbidden,
                $"The token '{context.User.Identity?.Name}' is for the buckets {string.Join(", ", allowed)} alone, and "
                    + $"{context.Request.Method} {context.Request.Path.ToUriComponent()} is "
                    + (bucket is null ? "not about one of them." : $"about {bucket}."),
                ("bucket", bucket)
            )
            .ExecuteAsync(context);
    }

    /// <summary>Of the route, of its query, or of its file; null where there is none, or nobody knows the file.</summary>
    private static async Task<string?> BucketOfAsync(HttpContext context)
    {
        var route = context.GetRouteData().Values;
        var named = route.GetValueOrDefault("bucket") as string ?? context.Request.Query["bucket"];
        var key = route.GetValueOrDefault("key") as string ?? route.GetValueOrDefault("file_key") as string;
        if (key is null || !FileKey.TryParse(key, out var file))
        {
            return key is null && BucketId.TryParse(named, out var bucket) ? bucket.ToString() : null;
        }

        var catalog = context.RequestServices.GetRequiredService<FileCatalog>();
        return (await catalog.FindAsync(file, context.RequestAborted))?.Metadata.Bucket.ToString();
    }
}
