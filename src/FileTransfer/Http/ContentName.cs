namespace FileTransfer.Http;

/// <summary>Under which name, and as of when, a content is saved by whoever gets it.</summary>
/// <param name="Disposition">The value of <c>Content-Disposition</c>; null where the location has no name in it.</param>
/// <param name="Modified">In whole seconds, as HTTP dates are.</param>
public sealed record ContentName(string? Disposition, DateTimeOffset Modified)
{
    /// <summary>Longer names are cut: file systems take 255 bytes.</summary>
    private const int LongestName = 200;

    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string LastModified { get; } = Modified.ToString("R", CultureInfo.InvariantCulture);

    /// <param name="location">Any bytes; what stands behind the last slash is the name.</param>
    /// <param name="modified">Cut to whole seconds.</param>
    public static ContentName Of(ReadOnlySpan<byte> location, DateTimeOffset modified) =>
        new(DispositionOf(location), DateTimeOffset.FromUnixTimeSeconds(modified.ToUnixTimeSeconds()));

    /// <summary>An attachment (a browser must not show what somebody stored), named in ASCII and in UTF-8 (RFC 6266).</summary>
    private static string? DispositionOf(ReadOnlySpan<byte> location)
    {
        var name = Safe(Decode(location[(location.LastIndexOf((byte)'/') + 1)..]));
        if (name.Length == 0)
        {
            return null;
        }

        var ascii = string.Concat(
            name.EnumerateRunes().Select(rune => rune.IsAscii && rune.Value is not ('"' or '%') ? rune : (Rune)'_')
        );
        return $"attachment; filename=\"{ascii}\"; filename*=UTF-8''{Uri.EscapeDataString(name)}";
    }

    private static string Decode(ReadOnlySpan<byte> name)
    {
        try
        {
            return _strict.GetString(name);
        }
        catch (DecoderFallbackException)
        {
            // Not UTF-8: the bytes that are ASCII still tell something.
            return Encoding.ASCII.GetString(name).Replace('?', '_');
        }
    }

    /// <summary>No other folder, no hidden file, nothing that a terminal or a file manager shows as something else than it is.</summary>
    private static string Safe(string name)
    {
        var safe = string.Concat(name.EnumerateRunes().Select(rune => IsSafe(rune) ? rune : (Rune)'_'));
        return Cut(safe.StartsWith('.') ? $"_{safe[1..]}" : safe);
    }

    private static bool IsSafe(Rune rune) =>
        rune.Value != '\\'
        && Rune.GetUnicodeCategory(rune)
            is not (
                UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.Surrogate
            );

    private static string Cut(string name)
    {
        if (Encoding.UTF8.GetByteCount(name) <= LongestName)
        {
            return name;
        }

        var extension = Path.GetExtension(name) is { Length: <= 16 } found ? found : "";
        var room = LongestName - Encoding.UTF8.GetByteCount(extension);
        return string.Concat(name.EnumerateRunes().TakeWhile(rune => (room -= rune.Utf8SequenceLength) >= 0)) + extension;
    }
}
