namespace FileTransfer.Catalog.Replicas;

/// <summary>What ends the wait of a wanted replica before its time is up: the column <c>waits_for</c>.</summary>
public enum WaitCondition
{
    /// <summary>Nothing but a node that gets the file stored.</summary>
    Time,

    /// <summary>Its upload: nobody has its content yet.</summary>
    Upload,

    /// <summary>A node that has it: none is known.</summary>
    Provider,

    /// <summary>One of its sources answers again.</summary>
    Source,

    /// <summary>
    /// A permit of one of its sources, which send the file to other nodes now; the next node to have it stored takes some of those that wait.
    /// </summary>
    Permit,
}

/// <summary>The names of the conditions in SQL and JSON; null for time alone.</summary>
public static class WaitConditions
{
    public static string? NameOf(WaitCondition condition) =>
        condition == WaitCondition.Time ? null : condition.ToString().ToLowerInvariant();

    public static WaitCondition Parse(string? name) =>
        name is null ? WaitCondition.Time : Enum.Parse<WaitCondition>(name, ignoreCase: true);
}
