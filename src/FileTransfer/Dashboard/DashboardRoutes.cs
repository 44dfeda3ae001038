namespace FileTransfer.Dashboard;

/// <summary>The page for a person, at <c>/</c>. It shows what the other routes say, and asks them as anybody else does.</summary>
public static class DashboardRoutes
{
    /// <summary>Nothing from elsewhere, nothing written into the page itself, and no other page around it.</summary>
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>The page itself is the same for everybody: what it shows takes a token where the node asks for one.</summary>
    public static void MapDashboard(this IEndpointRouteBuilder routes)
    {
        var page = routes.MapGroup("").AllowAnonymous().ExcludeFromDescription();
        foreach (var file in DashboardFile.All)
        {
            page.MapGet(file.Path, (HttpContext context) => Answer(context, file));
        }
    }

    private static FileContentHttpResult Answer(HttpContext context, DashboardFile file)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentPolicy;
        headers["Referrer-Policy"] = "no-referrer";
        return TypedResults.File(file.Content, file.MediaType, entityTag: file.Tag);
    }
}
