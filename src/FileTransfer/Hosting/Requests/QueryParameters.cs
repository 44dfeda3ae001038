using System.Collections.Frozen;
using System.Reflection;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace FileTransfer.Hosting.Requests;

/// <summary>Refuses parameters of the query that the route does not know, or knows once: passed over, a misspelt filter lists everything.</summary>
/// <remarks>Health is left alone: probes put what they like behind a question mark.</remarks>
internal sealed class QueryParameters(RequestDelegate next, IApiDescriptionGroupCollectionProvider descriptions)
{
    private FrozenDictionary<MethodInfo, string[]>? _known;

    public Task InvokeAsync(HttpContext context)
    {
        if (
            context.Request.QueryString.HasValue
            && context.GetEndpoint()?.Metadata.GetMetadata<MethodInfo>() is { } handler
            && !HealthPaths.Contain(context.Request.Path)
            && (_known ??= Read()).TryGetValue(handler, out var known)
            && FaultOf(context.Request.Query, known) is { } fault
        )
        {
            return Problem.Of(ProblemTypes.BadRequest, fault).ExecuteAsync(context);
        }

        return next(context);
    }

    private static string? FaultOf(IQueryCollection query, string[] known)
    {
        foreach (var (name, values) in query)
        {
            if (!known.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                return $"'{Problem.Quote(name)}' is not a parameter of this route; "
                    + (known.Length == 0 ? "it takes none." : $"it takes {string.Join(", ", known)}.");
            }

            if (values.Count > 1)
            {
                return $"'{name}' is given {values.Count} times; write it once.";
            }
        }

        return null;
    }

    private FrozenDictionary<MethodInfo, string[]> Read() =>
        descriptions
            .ApiDescriptionGroups.Items.SelectMany(group => group.Items)
            .SelectMany(route =>
                route.ActionDescriptor.EndpointMetadata.OfType<MethodInfo>().Select(handler => (handler, NamesOf(route)))
            )
            .GroupBy(route => route.handler)
            .ToFrozenDictionary(routes => routes.Key, routes => routes.First().Item2);

    private static string[] NamesOf(ApiDescription route) =>
        [
            .. route
                .ParameterDescriptions.Where(parameter => parameter.Source == BindingSource.Query)
                .Select(parameter => parameter.Name),
        ];
}
