using System.Diagnostics.CodeAnalysis;

namespace FileTransfer.Wants.Policies;

/// <summary>How a filter compares its value with a location.</summary>
public enum FilterKind
{
    /// <summary>The location begins with the value; an empty value is the beginning of every location.</summary>
    Prefix,

    /// <summary>The location is the value.</summary>
    Exact,
}

/// <summary>Picks files by the bytes of their location.</summary>
/// <remarks>Text form: <c>prefix|exact:utf8|hex:value</c>, the value being all that follows the second colon.</remarks>
public sealed record LocationFilter
{
    public const string Form = "prefix:utf8:photos/, exact:utf8:photos/cat.jpg, or hex:00ff in place of utf8:text";

    private const string Utf8 = "utf8";
    private const string Hex = "hex";

    /// <exception cref="ArgumentException">The value cannot be compared with any location.</exception>
    public LocationFilter(FilterKind kind, ByteString value)
    {
        if (Fault(kind, value) is { } fault)
        {
            throw new ArgumentException(fault, nameof(value));
        }

        (Kind, Value) = (kind, value);
    }

    /// <summary>Null where the value cannot be compared with any location.</summary>
    public static LocationFilter? Of(FilterKind kind, ByteString value) =>
        Fault(kind, value) is null ? new LocationFilter(kind, value) : null;

    public FilterKind Kind { get; }

    public ByteString Value { get; }

    /// <param name="text">The text form.</param>
    /// <param name="filter">The filter that it stands for.</param>
    /// <param name="fault">Else what is wrong with the text and what to write instead.</param>
    public static bool TryParse(
        string text,
        [NotNullWhen(true)] out LocationFilter? filter,
        [NotNullWhen(false)] out string? fault
    )
    {
        filter = null;
        if (text.Split(':', 3) is not [var kindName, var encoding, var written])
        {
            fault = $"The filter {Quote(text)} has no kind and encoding; write {Form}.";
            return false;
        }

        if (ReadKind(kindName) is not { } kind)
        {
            fault = $"The filter {Quote(text)} begins with {Quote(kindName)}; write prefix or exact there, as in {Form}.";
            return false;
        }

        if (ReadValue(encoding, written) is not { } value)
        {
            fault =
                encoding == Hex
                    ? $"The filter {Quote(text)} is not hex after hex:; write an even number of hex digits, with or without 0x."
                    : $"The filter {Quote(text)} has the encoding {Quote(encoding)}; write utf8 or hex there, as in {Form}.";
            return false;
        }

        fault = Fault(kind, value);
        filter = fault is null ? new LocationFilter(kind, value) : null;
        return filter is not null;
    }

    /// <summary>The text form: <c>utf8</c> where the value is text that can be shown, else <c>hex</c>.</summary>
    public override string ToString()
    {
        var kind = Kind == FilterKind.Exact ? "exact" : "prefix";
        return Value.AsUtf8() is { } text && !text.Any(char.IsControl)
            ? $"{kind}:{Utf8}:{text}"
            : $"{kind}:{Hex}:{Convert.ToHexStringLower(Value.Span)}";
    }

    private static FilterKind? ReadKind(string name) =>
        name switch
        {
            "prefix" => FilterKind.Prefix,
            "exact" => FilterKind.Exact,
            _ => null,
        };

    private static ByteString? ReadValue(string encoding, string written) =>
        encoding switch
        {
            Utf8 => ByteString.FromUtf8(written),
            Hex when ByteString.TryParseHex(written, out var value) => value,
            _ => null,
        };

    private static string? Fault(FilterKind kind, ByteString value) =>
        value.Length > FileMetadata.MaxLocationLength
            ? $"A filter has {value.Length} bytes; a location has at most {FileMetadata.MaxLocationLength}."
        : kind == FilterKind.Exact && value.IsEmpty
            ? "An exact filter is empty, and so matches nothing: no location is empty. Give it a value or leave it out."
        : null;

    private static string Quote(string text) => text.Length > 100 ? $"'{text[..100]}…'" : $"'{text}'";
}
