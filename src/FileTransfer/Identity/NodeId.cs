using System.Text.RegularExpressions;

namespace FileTransfer.Identity;

/// <summary>The name of a node in its cluster: 1 to 64 letters, digits, dots, dashes or underscores.</summary>
public sealed partial record NodeId
{
    public NodeId(string value)
    {
        if (!Form().IsMatch(value))
        {
            throw new ArgumentException($"'{value}' is not a node id: write 1 to 64 of A-Z a-z 0-9 . _ -", nameof(value));
        }

        Value = value;
    }

    public string Value { get; }

    /// <summary>Null where the text is no node id.</summary>
    public static NodeId? FromText(string? text) => text is not null && Form().IsMatch(text) ? new NodeId(text) : null;

    public override string ToString() => Value;

    [GeneratedRegex("^[A-Za-z0-9._-]{1,64}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Form();
}
