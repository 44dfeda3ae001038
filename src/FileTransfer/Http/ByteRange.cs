namespace FileTransfer.Http;

/// <summary>A part of a representation, in bytes: what one 206 answer carries.</summary>
public readonly record struct ByteRange(long Offset, long Count)
{
    /// <summary>Reads a Range header (RFC 9110 §14) against a representation of <paramref name="length"/> bytes.</summary>
    /// <remarks>
    /// Ignored are: a unit other than bytes, anything malformed, a last position before the first, and several ranges,
    /// which a server may answer with the whole. Numbers of any length are read; what is beyond the end is cut or not satisfiable.
    /// (RangeHeaderValue refuses the longer ones, so whoever resumes behind the end would get the whole, and takes <c>1 - 2</c>.)
    /// </remarks>
    public static RangeVerdict Read(string? header, long length, out ByteRange range)
    {
        range = default;
        var text = header.AsSpan().Trim(" \t");
        var equals = text.IndexOf('=');
        if (equals < 0 || length == 0 || !text[..equals].Equals("bytes", StringComparison.OrdinalIgnoreCase))
        {
            return RangeVerdict.Ignored;
        }

        // The list syntax allows empty elements; what is left of one element and its commas is one range.
        var spec = text[(equals + 1)..].Trim(" \t,");
        var dash = spec.IndexOf('-');
        return dash switch
        {
            < 0 => RangeVerdict.Ignored,
            0 => ReadSuffix(spec[1..], length, out range),
            _ => ReadPositions(spec[..dash], spec[(dash + 1)..], length, out range),
        };
    }

    public string ContentRangeOf(long length) =>
        string.Create(CultureInfo.InvariantCulture, $"bytes {Offset}-{Offset + Count - 1}/{length}");

    public static string UnsatisfiedOf(long length) => string.Create(CultureInfo.InvariantCulture, $"bytes */{length}");

    private static RangeVerdict ReadSuffix(ReadOnlySpan<char> digits, long length, out ByteRange range)
    {
        range = default;
        if (!TryReadNumber(digits, out var count))
        {
            return RangeVerdict.Ignored;
        }

        if (count == 0)
        {
            return RangeVerdict.NotSatisfiable;
        }

        count = Math.Min(count, length);
        range = new ByteRange(length - count, count);
        return RangeVerdict.Satisfiable;
    }

    private static RangeVerdict ReadPositions(
        ReadOnlySpan<char> firstDigits,
        ReadOnlySpan<char> lastDigits,
        long length,
        out ByteRange range
    )
    {
        range = default;
        var last = long.MaxValue;
        if (
            !TryReadNumber(firstDigits, out var first)
            || (!lastDigits.IsEmpty && !TryReadNumber(lastDigits, out last))
            || last < first
        )
        {
            return RangeVerdict.Ignored;
        }

        if (first >= length)
        {
            return RangeVerdict.NotSatisfiable;
        }

        range = new ByteRange(first, Math.Min(last, length - 1) - first + 1);
        return RangeVerdict.Satisfiable;
    }

    /// <summary>Digits only; a number too large for a position counts as the largest one.</summary>
    private static bool TryReadNumber(ReadOnlySpan<char> digits, out long number)
    {
        number = 0;
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number))
        {
            number = long.MaxValue;
        }

        return true;
    }
}

public enum RangeVerdict
{
    /// <summary>The whole representation is to be sent.</summary>
    Ignored,

    /// <summary>The range is to be sent, as a 206.</summary>
    Satisfiable,

    /// <summary>Well formed, but nothing of it exists: 416.</summary>
    NotSatisfiable,
}
