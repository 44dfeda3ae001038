using System.Collections.Frozen;
using System.Reflection;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace FileTransfer.Hosting.Requests;

/// <summary>
/// Refuses parameters of the query that the route does not know, or knows once: passed over, a misspelt filter lists everything. And values that
/// cannot be read.
/// </summary>
/// <remarks>
/// Health is left alone: probes put what they like behind a question mark. Code that is generated for a route (ASP.NET Core 10.0) answers a value
/// that an optional parameter cannot have with a bare 400, and does not say to anybody what was wrong with it.
/// </remarks>
internal sealed class QueryParameters(RequestDelegate next, IApiDescriptionGroupCollectionProvider descriptions)
{
    private static readonly Dictionary<Type, ValueKind> _kinds = new()
    {
        [typeof(bool)] = new("true or false", value => bool.TryParse(value, out _)),
        [typeof(int)] = new("a whole number", value => int.TryParse(value, CultureInfo.InvariantCulture, out _)),
        [typeof(long)] = new("a whole number", value => long.TryParse(value, CultureInfo.InvariantCulture, out _)),
        [typeof(Guid)] = new("a GUID", value => Guid.TryParse(value, out _)),
    };

    private FrozenDictionary<MethodInfo, Parameter[]>? _known;

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

    private static string? FaultOf(IQueryCollection query, Parameter[] known)
    {
        foreach (var (name, values) in query)
        {
            if (
                Array.Find(known, parameter => parameter.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                is not { } parameter
            )
            {
                return $"'{Problem.Quote(name)}' is not a parameter of this route; "
                    + (
                        known.Length == 0
                            ? "it takes none."
                            : $"it takes {string.Join(", ", known.Select(parameter => parameter.Name))}."
                    );
            }

            if (values.Count > 1)
            {
                return $"'{name}' is given {values.Count} times; write it once.";
            }

            if (values is [{ Length: > 0 } value] && parameter.Kind is { } kind && !kind.Reads(value))
            {
                return $"'{Problem.Quote(value)}' is not a value of {name}; write {kind.Words}.";
            }
        }

        return null;
    }

    private FrozenDictionary<MethodInfo, Parameter[]> Read() =>
        descriptions
            .ApiDescriptionGroups.Items.SelectMany(group => group.Items)
            .SelectMany(route =>
                route.ActionDescriptor.EndpointMetadata.OfType<MethodInfo>().Select(handler => (handler, ParametersOf(route)))
            )
            .GroupBy(route => route.handler)
            .ToFrozenDictionary(routes => routes.Key, routes => routes.First().Item2);

    private static Parameter[] ParametersOf(ApiDescription route) =>
        [
            .. route
                .ParameterDescriptions.Where(parameter => parameter.Source == BindingSource.Query)
                .Select(parameter => new Parameter(
                    parameter.Name,
                    _kinds.GetValueOrDefault(Nullable.GetUnderlyingType(parameter.Type) ?? parameter.Type)
                )),
        ];

    /// <param name="Kind">Null where any text will do, or is read later.</param>
    private sealed record Parameter(string Name, ValueKind? Kind);

    private sealed record ValueKind(string Words, Func<string, bool> Reads);
}
