using Microsoft.OpenApi;

namespace FileTransfer.Hosting;

/// <summary>The description of all routes, at <c>/swagger</c>; its pages are served from the binary itself.</summary>
internal static class SwaggerDocument
{
    private const string Name = "v1";

    /// <summary>Its page is its own scripts, with styles written into it.</summary>
    internal const string ContentPolicy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

    internal const string SecurityScheme = "bearer";

    public static void AddSwagger(this IHostApplicationBuilder builder)
    {
        builder.Services.AddEndpointsApiExplorer();
        builder.Services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc(
                Name,
                new OpenApiInfo
                {
                    Title = "FileTransfer",
                    Version = Name,
                    Description =
                        "Keeps the same files on every node of a cluster, each proven against its own name. "
                        + "Errors are problem details (RFC 9457); their `type` never changes. "
                        + "A route that answers GET answers HEAD as well, but for the streams of events. "
                        + "A parameter of the query that a route does not know is a 400.",
                }
            );
            options.AddSecurityDefinition(
                SecurityScheme,
                new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "One of the node's tokens. Not asked for by a node without tokens.",
                }
            );
            options.OperationFilter<RouteDescriptions>();
            // Said once for all of them, above.
            options.DocInclusionPredicate(
                (_, route) =>
                    !(
                        HttpMethods.IsHead(route.HttpMethod ?? "")
                        && route.ActionDescriptor.EndpointMetadata.OfType<HeadBesideGet>().Any()
                    )
            );
            var comments = Path.Combine(AppContext.BaseDirectory, "filetransfer.xml");
            if (File.Exists(comments))
            {
                options.IncludeXmlComments(comments);
            }
        });
    }

    public static void UseSwaggerPages(this WebApplication app)
    {
        app.UseSwagger();
        app.UseSwaggerUI(options =>
        {
            options.DocumentTitle = "FileTransfer";
            options.SwaggerEndpoint($"{Name}/swagger.json", "FileTransfer");
        });
    }
}
