using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace FileTransfer.Http;

/// <summary>Preconditions and ranges in the order of RFC 9110 §13.2.2.</summary>
/// <remarks>
/// If-Match or else If-Unmodified-Since, then If-None-Match or else If-Modified-Since, then Range under If-Range. Where no modification
/// date is known, conditions on one are ignored and an If-Range with a date is false. Range has a meaning for GET alone.
/// </remarks>
public static class ConditionalRequest
{
    /// <param name="modified">In whole seconds; null where it is not known.</param>
    public static ConditionalAnswer Evaluate(
        string method,
        IHeaderDictionary headers,
        EntityTagHeaderValue current,
        long length,
        DateTimeOffset? modified = null
    )
    {
        var whole = new ByteRange(0, length);
        var mustMatch = headers.IfMatch.Count > 0;
        if (mustMatch ? !AnyMatches(headers.IfMatch, current, strongly: true) : IsAfter(modified, headers.IfUnmodifiedSince))
        {
            return new ConditionalAnswer(StatusCodes.Status412PreconditionFailed, whole);
        }

        var mayMatch = headers.IfNoneMatch.Count > 0;
        if (mayMatch ? AnyMatches(headers.IfNoneMatch, current, strongly: false) : IsNotAfter(modified, headers.IfModifiedSince))
        {
            return new ConditionalAnswer(StatusCodes.Status304NotModified, whole);
        }

        if (!HttpMethods.IsGet(method) || headers.Range.Count != 1 || !IfRangeHolds(headers.IfRange, current, modified))
        {
            return new ConditionalAnswer(StatusCodes.Status200OK, whole);
        }

        return ByteRange.Read(headers.Range, length, out var range) switch
        {
            RangeVerdict.Satisfiable => new ConditionalAnswer(StatusCodes.Status206PartialContent, range),
            RangeVerdict.NotSatisfiable => new ConditionalAnswer(StatusCodes.Status416RangeNotSatisfiable, whole),
            _ => new ConditionalAnswer(StatusCodes.Status200OK, whole),
        };
    }

    /// <summary>A date holds when it is the very one: contents do not change, so it names one as well as the tag does.</summary>
    private static bool IfRangeHolds(StringValues ifRange, EntityTagHeaderValue current, DateTimeOffset? modified) =>
        ifRange.Count == 0
        || (
            ifRange.Count == 1
            && RangeConditionHeaderValue.TryParse(ifRange[0], out var condition)
            && (
                condition.EntityTag?.Compare(current, useStrongComparison: true)
                ?? (modified is not null && condition.LastModified == modified)
            )
        );

    private static bool IsAfter(DateTimeOffset? modified, StringValues header) =>
        header.Count > 0 && modified is not null && DateOf(header) is { } date && modified > date;

    private static bool IsNotAfter(DateTimeOffset? modified, StringValues header) =>
        header.Count > 0 && modified is not null && DateOf(header) is { } date && modified <= date;

    private static DateTimeOffset? DateOf(StringValues header) =>
        header.Count == 1 && HeaderUtilities.TryParseDate(header[0], out var date) ? date : null;

    private static bool AnyMatches(StringValues lines, EntityTagHeaderValue current, bool strongly) =>
        EntityTagHeaderValue.TryParseStrictList([.. lines.OfType<string>()], out var tags)
        && tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(current, strongly));
}
