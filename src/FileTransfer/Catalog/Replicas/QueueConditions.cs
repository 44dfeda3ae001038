namespace FileTransfer.Catalog.Replicas;

/// <summary>Whether there is something to do in the queue of <c>@node</c>, each as one entry of an index at most.</summary>
public static class QueueConditions
{
    /// <summary>Something can be claimed.</summary>
    public static readonly string HasReady = Any(ReplicaSql.IsReady, "r.priority DESC, r.wanted_at");

    /// <summary>Something that no node is known to have is to be looked for again.</summary>
    public static readonly string HasUnprovidedDue = Any(
        $"{ReplicaSql.WaitsForProvider} AND r.next_attempt_at <= now()",
        "r.next_attempt_at"
    );

    /// <summary>Bytes are to be deleted, also because a removed file has been kept for long enough.</summary>
    public static readonly string HasRemoving = string.Join(
        " OR ",
        Any(ReplicaSql.IsRemoving, "r.changed_at"),
        Any($"{ReplicaSql.IsInTrash} AND r.next_attempt_at <= now()", "r.next_attempt_at")
    );

    /// <summary>Something waits, is held, or has failed: it may come due, lose its holder, or be tried again.</summary>
    public static readonly string HasUnsettled = string.Join(
        " OR ",
        Any(ReplicaSql.Waits, "r.next_attempt_at"),
        Any(ReplicaSql.WaitsForProvider, "r.next_attempt_at"),
        Any("r.state = 'downloading'", "r.node_id"),
        Any("r.state IN ('failed', 'paused')", "r.changed_at")
    );

    /// <remarks>The order is the index's: however many rows the server takes to be like this, it reads the index, which may be empty.</remarks>
    private static string Any(string condition, string order) =>
        $"(SELECT true FROM filetransfer.replicas r WHERE r.node_id = @node AND {condition} ORDER BY {order} LIMIT 1) IS NOT NULL";
}
