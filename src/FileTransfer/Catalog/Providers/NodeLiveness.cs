namespace FileTransfer.Catalog.Providers;

/// <summary>When a node counts as alive, by when it was heard of last. The clock is the database's, which may have jumped.</summary>
public static class NodeLiveness
{
    /// <summary>Whether the node of row <c>n</c> was heard of lately. A time that has not come yet was written by a clock that was wrong, and says nothing.</summary>
    public const string IsHeardOf = "(n.seen_at BETWEEN clock_timestamp() - interval '10 seconds' AND clock_timestamp())";

    /// <summary>
    /// Whether the node of row <c>n</c> is alive, as its own lock proves, for what must not depend on any clock. A node of an older version
    /// does not say which lock that is.
    /// </summary>
    public const string IsProvenAlive = $"""
        ({IsHeardOf} AND (n.presence_lock IS NULL OR n.presence_lock = ANY (ARRAY(
            SELECT (held.classid::bigint << 32) | held.objid::bigint FROM pg_catalog.pg_locks held
            WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1 AND held.mode = 'ExclusiveLock'
              AND held.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
        ))))
        """;
}
