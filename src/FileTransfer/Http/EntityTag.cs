using System.Diagnostics.CodeAnalysis;

namespace FileTransfer.Http;

/// <summary>The name of one exact representation (RFC 9110 §8.8.3).</summary>
/// <param name="Opaque">The text between the quotes.</param>
/// <param name="IsWeak">Written with <c>W/</c>; never equal to anything under strong comparison.</param>
public readonly record struct EntityTag(string Opaque, bool IsWeak = false)
{
    /// <summary>Both strong and the same octets: what If-Match and If-Range ask for.</summary>
    public bool StronglyEquals(EntityTag other) => !IsWeak && !other.IsWeak && Opaque == other.Opaque;

    /// <summary>The same octets, weak or not: what If-None-Match asks for.</summary>
    public bool WeaklyEquals(EntityTag other) => Opaque == other.Opaque;

    public override string ToString() => IsWeak ? $"W/\"{Opaque}\"" : $"\"{Opaque}\"";

    public static bool TryParse([NotNullWhen(true)] string? text, out EntityTag tag)
    {
        tag = default;
        var rest = text.AsSpan().Trim(" \t");
        return TryTake(ref rest, out tag) && rest.IsEmpty;
    }

    /// <summary>Takes the next tag off a comma-separated list; a comma inside the quotes belongs to the tag.</summary>
    internal static bool TryTakeFromList(ref ReadOnlySpan<char> list, out EntityTag tag)
    {
        list = list.TrimStart(" \t,");
        if (!TryTake(ref list, out tag))
        {
            return false;
        }

        list = list.TrimStart(" \t");
        return list.IsEmpty || list[0] == ',';
    }

    private static bool TryTake(ref ReadOnlySpan<char> text, out EntityTag tag)
    {
        tag = default;
        var isWeak = text.StartsWith("W/", StringComparison.Ordinal);
        var quoted = isWeak ? text[2..] : text;
        if (quoted.IsEmpty || quoted[0] != '"')
        {
            return false;
        }

        var length = quoted[1..].IndexOf('"');
        if (length < 0 || quoted.Slice(1, length).ContainsAnyInRange('\0', ' '))
        {
            return false;
        }

        tag = new EntityTag(quoted.Slice(1, length).ToString(), isWeak);
        text = quoted[(length + 2)..];
        return true;
    }
}
