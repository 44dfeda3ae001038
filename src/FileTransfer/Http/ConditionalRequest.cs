using Microsoft.Extensions.Primitives;

namespace FileTransfer.Http;

/// <summary>What a GET or HEAD of a representation with a strong tag and no modification date is to be answered with.</summary>
/// <param name="StatusCode">200, 206, 304, 412 or 416.</param>
/// <param name="Range">What of the representation is meant: the whole of it unless the status is 206.</param>
public readonly record struct ConditionalAnswer(int StatusCode, ByteRange Range);

/// <summary>Preconditions and ranges in the order of RFC 9110 §13.2.2.</summary>
/// <remarks>
/// If-Match, then If-None-Match, then Range under If-Range. There is no modification date, so If-Modified-Since and
/// If-Unmodified-Since are ignored and an If-Range with a date is false. Range has a meaning for GET alone.
/// </remarks>
public static class ConditionalRequest
{
    public static ConditionalAnswer Evaluate(string method, IHeaderDictionary headers, EntityTag current, long length)
    {
        var whole = new ByteRange(0, length);
        if (headers.IfMatch.Count > 0 && !AnyMatches(headers.IfMatch, current, strongly: true))
        {
            return new ConditionalAnswer(StatusCodes.Status412PreconditionFailed, whole);
        }

        if (headers.IfNoneMatch.Count > 0 && AnyMatches(headers.IfNoneMatch, current, strongly: false))
        {
            return new ConditionalAnswer(StatusCodes.Status304NotModified, whole);
        }

        if (!HttpMethods.IsGet(method) || headers.Range.Count != 1 || !IfRangeHolds(headers.IfRange, current))
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

    private static bool IfRangeHolds(StringValues ifRange, EntityTag current) =>
        ifRange.Count == 0 || (ifRange.Count == 1 && EntityTag.TryParse(ifRange[0], out var tag) && tag.StronglyEquals(current));

    private static bool AnyMatches(StringValues lines, EntityTag current, bool strongly)
    {
        foreach (var line in lines)
        {
            var list = line.AsSpan().Trim(" \t");
            if (list is "*")
            {
                return true;
            }

            while (EntityTag.TryTakeFromList(ref list, out var tag))
            {
                if (strongly ? tag.StronglyEquals(current) : tag.WeaklyEquals(current))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
