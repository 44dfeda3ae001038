namespace FileTransfer.Contracts;

/// <summary>The header in which a node that asks another says which one it is.</summary>
public static class NodeHeader
{
    public const string Name = "FileTransfer-Node";

    /// <summary>The node that the reader says it is; null where it says nothing.</summary>
    public static NodeId? Of(HttpContext context) => NodeId.FromText(context.Request.Headers[Name]);

    /// <summary>
    /// Whether the reader proves what it gets: nodes do, and say so by naming themselves. Whoever else names himself goes without the proof at
    /// his own risk.
    /// </summary>
    public static bool ProvesForItself(HttpContext context) => Of(context) is not null;
}
