using System.Security.Cryptography;

namespace FileTransfer.Identity;

/// <summary>The name of a node in its cluster: 1 to 64 letters, digits, dots, dashes or underscores.</summary>
public sealed record NodeId
{
    private const int Longest = 64;

    private static readonly SearchValues<char> _letters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
    );

    public NodeId(string value)
    {
        if (!IsNodeId(value))
        {
            throw new ArgumentException($"'{value}' is not a node id: write 1 to 64 of A-Z a-z 0-9 . _ -", nameof(value));
        }

        Value = value;
    }

    public string Value { get; }

    /// <summary>As it was written into the database. What is no node id has a name of its own there, so that whatever lists it goes on.</summary>
    public static NodeId OfRow(string text) =>
        FromText(text)
        ?? new NodeId($"malformed-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16]}");

    /// <summary>Null where the text is no node id.</summary>
    public static NodeId? FromText(string? text) => text is not null && IsNodeId(text) ? new NodeId(text) : null;

    public override string ToString() => Value;

    private static bool IsNodeId(string text) => text.Length is > 0 and <= Longest && !text.AsSpan().ContainsAnyExcept(_letters);
}
