namespace FileTransfer.Contracts;

/// <summary>The headers in which a node that asks another says which one it is, and of what it knows.</summary>
public static class NodeHeader
{
    public const string Name = "FileTransfer-Node";

    /// <summary>The header in which a cluster that reads another's feed says which one it is.</summary>
    public const string Cluster = "FileTransfer-Cluster";

    /// <summary>The header in which a node names the registration of the file, <c>generation</c>, of which it asks for parts.</summary>
    public const string Generation = "FileTransfer-Generation";

    private static readonly object _proven = new();

    /// <summary>The node that the reader says it is; null where it says nothing, or has not the scope of nodes.</summary>
    public static NodeId? Of(HttpContext context) =>
        context.Request.Headers[Name] is [{ } name] && context.User.HasClaim(AccessScopes.Claim, AccessScopes.Node)
            ? NodeId.FromText(name)
            : null;

    /// <summary>Whose share of what this node gives an answer is of: a node's by its name where nobody else can take that, else an address's.</summary>
    public static string ReaderOf(HttpContext context) =>
        context.Items[_proven] as string ?? context.Connection.RemoteIpAddress?.ToString() ?? "";

    /// <summary>The reader is the node that it says it is.</summary>
    /// <param name="context">Of its request.</param>
    /// <param name="reader">Its name; with that of its cluster where it is of another.</param>
    public static void Prove(HttpContext context, string reader) => context.Items[_proven] = reader;

    /// <summary>The generation that the reader asks for; null where it names none, 0 where it names something else.</summary>
    public static int? GenerationOf(HttpContext context) =>
        context.Request.Headers[Generation] is [{ } text]
            ? int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : 0
            : null;

    /// <summary>
    /// Whether the reader proves what it gets: nodes do, and say so by naming themselves. Whoever else names himself goes without the proof at
    /// his own risk.
    /// </summary>
    public static bool ProvesForItself(HttpContext context) => Of(context) is not null;
}
