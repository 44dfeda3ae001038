namespace FileTransfer.Catalog.Replicas;

/// <summary>Why the last attempt of a replica failed: what a person retries by, and looks for.</summary>
public enum FailureCause
{
    /// <summary>A source sent bytes that are not the file's.</summary>
    WrongBytes,

    /// <summary>A source refused: credentials, or a fault of its own.</summary>
    Refused,

    /// <summary>A source sent less than the floor.</summary>
    Stalled,

    /// <summary>A source ended its answers early.</summary>
    EndedEarly,

    /// <summary>A source could not be reached, or sent nothing.</summary>
    Unreachable,

    /// <summary>It took longer than its deadline.</summary>
    Deadline,

    /// <summary>The node itself met a fault.</summary>
    NodeFault,
}

/// <summary>The names of the causes: in SQL, in JSON and for <c>POST /v1/retry?cause=</c>.</summary>
public static class FailureCauses
{
    public static readonly string[] Slugs = [.. Enum.GetValues<FailureCause>().Select(SlugOf)];

    /// <summary>True with null for no cause at all, and for one of the list; false for anything else.</summary>
    public static bool TryParse(string? slug, out FailureCause? cause)
    {
        var at = Array.IndexOf(Slugs, slug);
        cause = at < 0 ? null : (FailureCause)at;
        return slug is null || at >= 0;
    }

    public static string SlugOf(FailureCause cause) => JsonNamingPolicy.KebabCaseLower.ConvertName(cause.ToString());
}
