using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace FileTransfer.Hosting;

/// <summary>Says of every route what its signature does not: scope, problems, file keys, bodies of octets, conditions and ranges.</summary>
internal sealed class RouteDescriptions : IOperationFilter
{
    private const string ExampleKey = "0x8a5edab282632443219e051e4ade2d1d5bbc671c781051bf1437897cbdfea0f1";
    private const string ExampleBucket = "0x2222222222222222222222222222222222222222222222222222222222222222";
    private const string ExampleTag = $"\"{ExampleKey}\"";

    private static readonly (string Name, string Description, string Example) _lastEventId = (
        "Last-Event-ID",
        "The id of the last event that was read: the stream goes on behind it while that is kept, and begins with the state else.",
        "8de1f3a5b2c4d60-17"
    );

    private static readonly (string Name, string Description, string Example)[] _conditions =
    [
        (
            "Range",
            "One range of bytes of this body. Anything else, other units and several ranges, is passed over.",
            "bytes=0-1031"
        ),
        ("If-Range", "The range counts only while this is the ETag; else the whole is sent.", ExampleTag),
        ("If-None-Match", "304 when one of these is the ETag.", ExampleTag),
        ("If-Match", "412 when none of these is the ETag.", ExampleTag),
    ];

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        var problems = metadata.OfType<DeclaredProblems>().SelectMany(declared => declared.Types).ToList();
        if (!metadata.OfType<IAllowAnonymous>().Any())
        {
            var scope =
                metadata.OfType<IAuthorizeData>().LastOrDefault(data => data.Policy is not null)?.Policy ?? AccessScopes.Read;
            operation.Description = $"{operation.Description} Scope: `{scope}`.".TrimStart();
            operation.Security =
            [
                new OpenApiSecurityRequirement
                {
                    // It lists scopes of OAuth alone.
                    [new OpenApiSecuritySchemeReference(SwaggerDocument.SecurityScheme, context.Document)] = [],
                },
            ];
            problems.AddRange([
                ProblemTypes.Unauthenticated,
                ProblemTypes.Forbidden,
                ProblemTypes.TooManyRequests,
                ProblemTypes.Draining,
            ]);
        }
        else
        {
            operation.Description = $"{operation.Description} Asks for no token.".TrimStart();
        }

        if (problems.Contains(ProblemTypes.DatabaseUnavailable) && !HttpMethods.IsGet(context.ApiDescription.HttpMethod ?? ""))
        {
            problems.Add(ProblemTypes.DatabaseLocked);
        }

        problems.Add(ProblemTypes.InternalFault);
        DescribePaths(operation, problems);
        if (metadata.OfType<OctetBody>().LastOrDefault() is { } body)
        {
            operation.RequestBody = OctetsOf(body);
        }

        if (operation.RequestBody is not null)
        {
            problems.Add(ProblemTypes.MediaTypeUnsupported);
        }

        if (metadata.OfType<EventAnswer>().Any())
        {
            DescribeConditions(operation, [_lastEventId]);
        }

        if (metadata.OfType<OctetAnswer>().Any())
        {
            var isGet = HttpMethods.IsGet(context.ApiDescription.HttpMethod ?? "");
            DescribeConditions(operation, isGet ? _conditions : _conditions[2..]);
            if (!isGet)
            {
                // Range has no meaning for HEAD.
                operation.Responses?.Remove($"{StatusCodes.Status206PartialContent}");
                operation.Responses?.Remove($"{StatusCodes.Status416RangeNotSatisfiable}");
                problems.Remove(ProblemTypes.RangeUnsatisfiable);
            }
        }

        AddProblems(operation, problems, context);
    }

    private static void DescribePaths(OpenApiOperation operation, List<ProblemType> problems)
    {
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
        {
            if (parameter.Name is "key" or "file_key")
            {
                parameter.Description = "The file key: 64 hex digits in any case, with or without 0x.";
                parameter.Example = JsonValue.Create(ExampleKey);
                problems.Add(ProblemTypes.FileKeyMalformed);
            }
            else if (parameter is { Name: "node", In: ParameterLocation.Path })
            {
                parameter.Description = "The name of a node, as GET /v1/nodes has it.";
                parameter.Example = JsonValue.Create("node-c");
            }
            else if (parameter is { Name: "bucket", In: ParameterLocation.Path })
            {
                parameter.Description = "The bucket: hex digits in any case, with or without 0x.";
                parameter.Example = JsonValue.Create(ExampleBucket);
            }
        }
    }

    private static void DescribeConditions(
        OpenApiOperation operation,
        IEnumerable<(string Name, string Description, string Example)> conditions
    )
    {
        operation.Parameters ??= [];
        foreach (var (name, description, example) in conditions)
        {
            operation.Parameters.Add(
                new OpenApiParameter
                {
                    Name = name,
                    In = ParameterLocation.Header,
                    Description = description,
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                    Example = JsonValue.Create(example),
                }
            );
        }
    }

    private static OpenApiRequestBody OctetsOf(OctetBody body) =>
        new()
        {
            Description = body.Description,
            Required = true,
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                [body.MediaType] = new OpenApiMediaType
                {
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" },
                },
            },
        };

    /// <summary>Those of a status are one answer, described once for all the routes that have it.</summary>
    private static void AddProblems(OpenApiOperation operation, IEnumerable<ProblemType> problems, OperationFilterContext context)
    {
        var schema = context.SchemaGenerator.GenerateSchema(typeof(ProblemDetails), context.SchemaRepository);
        context.Document.Components ??= new OpenApiComponents();
        var answers = context.Document.Components.Responses ??= new SortedDictionary<string, IOpenApiResponse>(
            StringComparer.Ordinal
        );
        operation.Responses ??= [];
        foreach (var byStatus in problems.Distinct().GroupBy(problem => problem.Status).OrderBy(group => group.Key))
        {
            var name = string.Join('.', byStatus.Select(problem => problem.Slug).Order(StringComparer.Ordinal));
            var text = string.Join("\n\n", byStatus.Select(problem => $"{problem.Title}: `{problem.Urn}`."));
            answers.TryAdd(
                name,
                new OpenApiResponse
                {
                    Description = text,
                    Content = new Dictionary<string, IOpenApiMediaType>
                    {
                        [Problem.ContentType] = new OpenApiMediaType { Schema = schema },
                    },
                }
            );
            operation.Responses[$"{byStatus.Key}"] = new OpenApiResponseReference(name, context.Document);
        }
    }
}
