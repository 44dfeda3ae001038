namespace FileTransfer.Catalog.Replicas;

/// <summary>What several statements say of a row of <c>filetransfer.replicas</c>, which they call <c>r</c>.</summary>
internal static class ReplicaSql
{
    /// <summary>Next in the queue.</summary>
    public const string IsReady = "r.state = 'wanted' AND r.next_attempt_at IS NULL";

    /// <summary>Backs off, or waits for something other than a provider; both of these as the indexes say it.</summary>
    public const string Waits =
        "r.state = 'wanted' AND r.next_attempt_at IS NOT NULL AND r.waits_for IS DISTINCT FROM 'provider'";

    public const string WaitsForProvider = "r.state = 'wanted' AND r.next_attempt_at IS NOT NULL AND r.waits_for = 'provider'";

    /// <summary>In this state, in words that let the server find the indexes of what is not stored.</summary>
    public static string IsIn(ReplicaState state) =>
        state == ReplicaState.Wanted
            ? $"(({IsReady}) OR ({Waits}) OR ({WaitsForProvider}))"
            : $"r.state = '{ReplicaTransitions.NameOf(state)}'";

    /// <summary>What a person said that the bucket of row <c>f</c> comes before at <c>@node</c>.</summary>
    public const string PriorityOfBucket =
        "coalesce((SELECT p.priority FROM filetransfer.bucket_priorities p WHERE p.node_id = @node AND p.bucket = f.bucket), 0)";

    /// <summary>Its bytes are to be deleted; as the index says it.</summary>
    public const string IsRemoving = "r.state = 'removing' AND r.waits_for IS DISTINCT FROM 'trash'";

    /// <summary>Its file was removed, and its content is kept until <c>next_attempt_at</c>; as the index says it.</summary>
    public const string IsInTrash = "r.state = 'removing' AND r.waits_for = 'trash'";

    /// <summary>It is to be here and is not.</summary>
    public const string IsLacking = "r.state IN ('wanted', 'downloading', 'failed', 'paused')";

    /// <summary>SET: ready, at the end of the queue, with all its attempts before it; for a reason of the statement's own.</summary>
    public const string ReadyAnew =
        "attempts = 0, next_attempt_at = NULL, waits_for = NULL, wanted_at = clock_timestamp(), changed_at = clock_timestamp()";

    /// <summary>SET: wanted as if it had never been here. The new epoch fences whatever is under way.</summary>
    public const string WantedAnew = $"epoch = r.epoch + 1, bytes_proven = 0, holder = NULL, holder_pid = NULL, {ReadyAnew}";

    /// <summary>SET: stored, but for the size.</summary>
    public const string Stored =
        "state = 'stored', attempts = 0, next_attempt_at = NULL, holder = NULL, holder_pid = NULL, reason = NULL, changed_at = clock_timestamp()";

    /// <summary>SET: leaves the node, for a reason of the statement's own. The new epoch fences the download that may be under way.</summary>
    public const string Ended =
        "state = 'removing', epoch = r.epoch + 1, next_attempt_at = NULL, waits_for = NULL, holder = NULL, holder_pid = NULL, changed_at = clock_timestamp()";

    /// <summary>Whether the backend that downloads it has its advisory lock.</summary>
    public const string IsHeld = """
        EXISTS (
            SELECT FROM pg_catalog.pg_locks l
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid = r.holder_pid
              AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
              AND l.classid = ((r.lock_key >> 32) & 4294967295)::oid AND l.objid = (r.lock_key & 4294967295)::oid
        )
        """;
}
