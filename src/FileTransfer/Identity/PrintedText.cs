namespace FileTransfer.Identity;

/// <summary>What others have named or said, without the characters that a terminal obeys, nor those by which it is read as something else.</summary>
public static class PrintedText
{
    /// <summary>The ends of lines and columns stay.</summary>
    public static string Lines(string text) => Without(c => IsObeyed(c) && c is not ('\n' or '\t'), text, Escaped);

    /// <summary>A part of a line.</summary>
    public static string Line(string? text) => Without(IsObeyed, text ?? "", Escaped);

    /// <summary>JSON without white space around its texts.</summary>
    public static string InJson(string json) => Without(IsObeyed, json, c => $"\\u{(int)c:x4}");

    public static bool IsObeyed(char c) =>
        char.GetUnicodeCategory(c)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;

    private static string Without(Func<char, bool> isObeyed, string text, Func<char, string> escaped) =>
        text.Any(isObeyed) ? string.Concat(text.Select(c => isObeyed(c) ? escaped(c) : $"{c}")) : text;

    private static string Escaped(char c) => c <= byte.MaxValue ? $"\\x{(int)c:x2}" : $"\\u{(int)c:x4}";
}
