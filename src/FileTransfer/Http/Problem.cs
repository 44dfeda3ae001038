using Microsoft.AspNetCore.Mvc;

namespace FileTransfer.Http;

/// <summary>Makes the body of an error: <c>type</c>, <c>title</c>, <c>status</c>, <c>detail</c> and the type's extensions.</summary>
public static class Problem
{
    public const string ContentType = "application/problem+json";

    /// <param name="type">One of <see cref="ProblemTypes"/>.</param>
    /// <param name="detail">Names the value at fault and says what to do next.</param>
    /// <param name="extensions">Further members of the body; a value is a string, number, boolean, time, null or an array of strings.</param>
    public static ProblemHttpResult Of(
        ProblemType type,
        string detail,
        params ReadOnlySpan<(string Key, object? Value)> extensions
    ) => TypedResults.Problem(Details(type, detail, extensions));

    /// <summary>A value of a request as a problem names it: no longer than a line.</summary>
    public static string Quote(string value) => value.Length <= 100 ? value : value[..100] + "…";

    public static ProblemDetails Details(
        ProblemType type,
        string detail,
        params ReadOnlySpan<(string Key, object? Value)> extensions
    )
    {
        var details = new ProblemDetails
        {
            Type = type.Urn,
            Title = type.Title,
            Status = type.Status,
            Detail = detail,
        };
        foreach (var (key, value) in extensions)
        {
            details.Extensions[key] = value;
        }

        return details;
    }
}
