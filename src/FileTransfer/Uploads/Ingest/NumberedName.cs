using System.Text.RegularExpressions;

namespace FileTransfer.Uploads.Ingest;

/// <summary>A name with a number: what is left of it names the series that it belongs to.</summary>
/// <param name="IsPadded">The number is written in a fixed width, so that each follows the one before.</param>
internal sealed partial record NumberedName(string Series, long Number, bool IsPadded)
{
    /// <summary>Stands for the number in the name of a series.</summary>
    private const string Place = "#";

    /// <summary>As many as a number has room for.</summary>
    private const int MostDigits = 18;

    private const string SegmentPlace = "##";

    /// <summary>Segments of 16 MiB in one of PostgreSQL's log files.</summary>
    private const long SegmentsPerLog = 256;

    /// <summary>The last number in a name, or PostgreSQL's name of a segment; null where there is neither.</summary>
    public static NumberedName? Of(string name)
    {
        if (Segment().Match(name) is { Success: true } segment)
        {
            var number = (Hex(segment.Groups["log"]) * SegmentsPerLog) + Hex(segment.Groups["segment"]);
            return new NumberedName($"{segment.Groups["timeline"]}{SegmentPlace}{segment.Groups["end"]}", number, IsPadded: true);
        }

        var end = name.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
        var begin = end;
        while (begin > 0 && end - begin < MostDigits && char.IsAsciiDigit(name[begin - 1]))
        {
            begin--;
        }

        var digits = name.AsSpan(begin, end - begin);
        return digits.IsEmpty
            ? null
            : new NumberedName(
                name[..begin] + Place + name[end..],
                long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture),
                digits is ['0', _, ..]
            );
    }

    /// <summary>A number as the names of its series have it, but for zeros at its begin.</summary>
    public static string NumberOf(string series, long number) =>
        series.Contains(SegmentPlace, StringComparison.Ordinal)
            ? $"{number / SegmentsPerLog:X8}{number % SegmentsPerLog:X8}"
            : number.ToString(CultureInfo.InvariantCulture);

    private static long Hex(Group digits) =>
        long.Parse(digits.ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^(?<timeline>[0-9A-F]{8})(?<log>[0-9A-F]{8})000000(?<segment>[0-9A-F]{2})(?<end>[^0-9A-F].*)?$",
        RegexOptions.None,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Segment();
}
