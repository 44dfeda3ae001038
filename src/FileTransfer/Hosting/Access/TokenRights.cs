using FileTransfer.Catalog;
using Microsoft.AspNetCore.Authorization;

namespace FileTransfer.Hosting.Access;

/// <summary>Keeps a token that is for some buckets or owners to what is of these: a route that does not say whose it is about is closed to it.</summary>
/// <remarks>
/// Such a token opens no content by knowing its fingerprint: it registers a file by its metadata alone only where it may read one with that content.
/// What is stored here would be published under the new key without a byte of it being sent.
/// </remarks>
internal static class TokenRights
{
    public const string BucketClaim = "bucket";
    public const string OwnerClaim = "owner";

    public static async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var (buckets, owners) = (Allowed(context, BucketClaim), Allowed(context, OwnerClaim));
        if (
            (buckets.Count == 0 && owners.Count == 0)
            || context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null
            || context.Request.Path == Routes.Caller
        )
        {
            await next(context);
            return;
        }

        var catalog = context.RequestServices.GetRequiredService<FileCatalog>();
        var asked = await SubjectOfAsync(context, catalog);
        if (!IsWithin(buckets, asked.Bucket) || !IsWithin(owners, asked.Owner))
        {
            var words =
                $"{WordsOf("buckets", buckets)}{(buckets.Count > 0 && owners.Count > 0 ? " and " : "")}{WordsOf("owners", owners)}";
            var about =
                asked == default
                    ? "not about one of them"
                    : $"about {asked.Bucket?.ToString() ?? "any bucket"} of {asked.Owner?.ToString() ?? "any owner"}";
            await Problem
                .Of(
                    ProblemTypes.Forbidden,
                    $"The token '{context.User.Identity?.Name}' is for the {words} alone, and {context.Request.Method} {context.Request.Path.ToUriComponent()} is {about}.",
                    ("bucket", asked.Bucket?.ToString()),
                    ("owner", asked.Owner?.ToString())
                )
                .ExecuteAsync(context);
            return;
        }

        if (
            asked.Registers is { } content
            && !await catalog.HasAddedAsync(content, [.. buckets], [.. owners], context.RequestAborted)
        )
        {
            await Problem
                .Of(
                    ProblemTypes.Forbidden,
                    $"The token '{context.User.Identity?.Name}' may read no file with the content {content}, so that it cannot register one by its metadata; "
                        + "send the bytes with POST /v1/files.",
                    ("fingerprint", content.ToString())
                )
                .ExecuteAsync(context);
            return;
        }

        await next(context);
    }

    private static HashSet<ByteString> Allowed(HttpContext context, string claim) =>
        [.. context.User.FindAll(claim).Select(one => ByteString.TryParseHex(one.Value, out var id) ? id : default)];

    private static bool IsWithin(HashSet<ByteString> allowed, ByteString? asked) =>
        allowed.Count == 0 || (asked is { } one && allowed.Contains(one));

    private static string WordsOf(string what, HashSet<ByteString> allowed) =>
        allowed.Count == 0 ? "" : $"{what} {string.Join(", ", allowed)}";

    /// <summary>Of the route, of its query, or of its file; nothing where there is none.</summary>
    private static async Task<Subject> SubjectOfAsync(HttpContext context, FileCatalog catalog)
    {
        var route = context.GetRouteData().Values;
        if ((route.GetValueOrDefault("key") ?? route.GetValueOrDefault("file_key")) is not string key)
        {
            return new Subject(
                Id(route.GetValueOrDefault("bucket") as string ?? context.Request.Query["bucket"]),
                Id(context.Request.Query["owner"])
            );
        }

        if (!FileKey.TryParse(key, out var file))
        {
            return default;
        }

        if (await catalog.FindAsync(file, context.RequestAborted) is { Metadata: var known })
        {
            return new Subject(known.Bucket, known.Owner);
        }

        return await RegistrationOfAsync(context) is { } described
            ? new Subject(described.Bucket, described.Owner, described.Fingerprint)
            : default;
    }

    /// <summary>What the body of a registration says; null where the request is none.</summary>
    private static async Task<FileMetadata?> RegistrationOfAsync(HttpContext context)
    {
        var request = context.Request;
        if (!HttpMethods.IsPut(request.Method) || (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText != Routes.File)
        {
            return null;
        }

        request.EnableBuffering();
        try
        {
            var registration = await JsonSerializer.DeserializeAsync(
                request.Body,
                SparseJson.Default.FileRegistration,
                context.RequestAborted
            );
            return registration?.Read().Metadata;
        }
        catch (JsonException)
        {
            // Whoever may do everything is told what is wrong with it.
            return null;
        }
        finally
        {
            request.Body.Position = 0;
        }
    }

    private static ByteString? Id(string? text) => BucketId.TryParse(text, out var id) ? id.Value : null;

    /// <summary>What a request is about.</summary>
    /// <param name="Registers">The content of a file that the cluster does not know.</param>
    private readonly record struct Subject(ByteString? Bucket, ByteString? Owner, Fingerprint? Registers = null);
}
