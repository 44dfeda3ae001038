using System.Text;
using FileTransfer.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace FileTransfer.Hosting;

/// <summary>The description of all routes, at <c>/swagger</c>; its pages are served from the binary itself.</summary>
internal static class SwaggerDocument
{
    private const string Name = "v1";
    private const string SecurityScheme = "bearer";

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
                        + "Errors are problem details (RFC 9457); their `type` never changes.",
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
            options.OperationFilter<Operations>();
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

    /// <summary>Says of every route which scope it asks for and which problems it answers with.</summary>
    private sealed class Operations : IOperationFilter
    {
        public void Apply(OpenApiOperation operation, OperationFilterContext context)
        {
            var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
            var problems = metadata.OfType<DeclaredProblems>().SelectMany(declared => declared.Types).ToList();
            if (!metadata.OfType<IAllowAnonymous>().Any())
            {
                var scope =
                    metadata.OfType<IAuthorizeData>().LastOrDefault(data => data.Policy is not null)?.Policy ?? Access.Read;
                operation.Description = $"{operation.Description} Scope: `{scope}`.".TrimStart();
                operation.Security =
                [
                    new OpenApiSecurityRequirement
                    {
                        [new OpenApiSecuritySchemeReference(SecurityScheme, context.Document)] = [scope],
                    },
                ];
                problems.AddRange([ProblemTypes.Unauthenticated, ProblemTypes.Forbidden]);
            }

            problems.Add(ProblemTypes.InternalFault);
            var schema = context.SchemaGenerator.GenerateSchema(typeof(ProblemDetails), context.SchemaRepository);
            operation.Responses ??= [];
            foreach (var byStatus in problems.Distinct().GroupBy(problem => problem.Status).OrderBy(group => group.Key))
            {
                operation.Responses[$"{byStatus.Key}"] = ResponseOf(byStatus, schema);
            }
        }

        private static OpenApiResponse ResponseOf(IEnumerable<ProblemType> problems, IOpenApiSchema schema)
        {
            var text = new StringBuilder();
            foreach (var problem in problems)
            {
                text.Append(text.Length > 0 ? "\n\n" : "").Append($"{problem.Title}: `{problem.Urn}`.");
            }

            return new OpenApiResponse
            {
                Description = text.ToString(),
                Content = new Dictionary<string, IOpenApiMediaType>
                {
                    [Problem.ContentType] = new OpenApiMediaType { Schema = schema },
                },
            };
        }
    }
}
