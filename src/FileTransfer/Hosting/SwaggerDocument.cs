using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.Swagger;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace FileTransfer.Hosting;

/// <summary>The description of all routes, at <c>/swagger</c>; its pages are served from the binary itself.</summary>
internal static class SwaggerDocument
{
    private const string Name = "v1";

    private const int PieceBytes = 16 * 1024;

    /// <summary>Its page is its own scripts, with styles written into it.</summary>
    internal const string ContentPolicy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

    internal const string SecurityScheme = "bearer";

    private static readonly (string Name, string Description)[] _tags =
    [
        ("Transfer", "Contents in frames, and many in one stream."),
        ("Files", "What the cluster has: metadata, contents, where they are and why not."),
        ("Buckets", "Which files a node wants of a bucket, how many copies and how much there may be."),
        ("Cluster", "Nodes, who leads, what they do."),
        ("Health", "For load balancers and supervisors."),
        ("Limits", "Bandwidth and parallel work."),
        ("Loads", "Sets of files that are wanted together by a deadline."),
        ("Exports", "Folders that web servers share."),
        ("Orphans", "Contents that nothing refers to."),
        ("Reconcile", "What folders and catalog say differently."),
        ("Sync", "Clusters that this one pulls from."),
        ("Shipping", "Clusters that this one ships to."),
        ("Peers", "Nodes of other clusters that gossip knows."),
        ("Trust", "Whose keys count."),
        ("Tokens", "Who may do what."),
    ];

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
                    Contact = new OpenApiContact { Name = "FileTransfer" },
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
            options.AddServer(new OpenApiServer { Url = "/", Description = "The node that serves this description." });
            options.CustomOperationIds(route => IdOf(route.HttpMethod!, route.RelativePath!));
            options.SupportNonNullableReferenceTypes();
            options.UseAllOfToExtendReferenceSchemas();
            options.NonNullableReferenceTypesAsRequired();
            options.DocumentFilter<Tags>();
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
        // Everyone who reaches the node may ask for it, and to put it together takes 80 MB and most of a second: it is done once.
        var description = new Lazy<Task<byte[]>>(() => DescribeOnceAsync(app.Services));
        app.Use(
            (context, next) =>
                context.Request.Path == $"/swagger/{Name}/swagger.json"
                && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
                    ? AnswerAsync(context, description.Value)
                    : next(context)
        );
        app.UseSwaggerUI(options =>
        {
            options.DocumentTitle = "FileTransfer";
            options.SwaggerEndpoint($"{Name}/swagger.json", "FileTransfer");
        });
    }

    private static async Task<byte[]> DescribeOnceAsync(IServiceProvider services)
    {
        // What it was made of has grown old meanwhile, and would lie about for long: 50 MB. It is let go of only once the other method has returned.
        var description = await DescribeAsync(services).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return description;
    }

    private static async Task<byte[]> DescribeAsync(IServiceProvider services)
    {
        var document = await services.GetRequiredService<IAsyncSwaggerProvider>().GetSwaggerAsync(Name);
        return Encoding.UTF8.GetBytes(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_0));
    }

    private static async Task AnswerAsync(HttpContext context, Task<byte[]> description)
    {
        var bytes = await description;
        context.Response.ContentType = "application/json;charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        // A reader that takes nothing holds a piece, not all of it.
        for (var left = HttpMethods.IsHead(context.Request.Method) ? default : bytes.AsMemory(); !left.IsEmpty; )
        {
            var piece = left[..Math.Min(PieceBytes, left.Length)];
            await context.Response.Body.WriteAsync(piece, context.RequestAborted);
            left = left[piece.Length..];
        }
    }

    /// <summary>The method and the words of the path, as <c>getFilesKeyContent</c>.</summary>
    private static string IdOf(string method, string path) =>
        method.ToLowerInvariant()
        + string.Concat(
            path.Split('/', '{', '}', '_', '-')
                .Select(word => word.Split(':')[0]) // What a parameter has to be follows.
                .Where(word => word is not ("" or Name))
                .Select(word => char.ToUpperInvariant(word[0]) + word[1..])
        );

    private sealed class Tags : IDocumentFilter
    {
        public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context) =>
            swaggerDoc.Tags = _tags.Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description }).ToHashSet();
    }
}
