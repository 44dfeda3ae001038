namespace FileTransfer.Catalog.Replicas;

/// <content>A claim that ends without a publication.</content>
public sealed partial class ReplicaQueue
{
    private static readonly string _releaseClaim = $"""
        UPDATE filetransfer.replicas r
        SET state = CASE WHEN @wakes AND {SourceSinceClaim} THEN 'wanted' ELSE @state END,
            attempts = CASE WHEN @wakes AND {SourceSinceClaim} THEN 0 ELSE r.attempts + @spent END,
            next_attempt_at = CASE
                WHEN @state = 'wanted' AND NOT (@wakes AND {SourceSinceClaim}) THEN clock_timestamp()
                    + CASE WHEN @waitsFor = 'provider' THEN greatest(@delay, {LaterLook}) ELSE @delay END
            END,
            waits_for = @waitsFor::text, reason = @reason, bytes_proven = coalesce(@proven::bigint, r.bytes_proven),
            cause = coalesce(@cause::text, r.cause),
            holder = NULL, holder_pid = NULL,
            wanted_at = CASE WHEN @waitsFor = 'provider' THEN r.wanted_at ELSE clock_timestamp() END, changed_at = clock_timestamp()
        WHERE {Mine} AND r.state = 'downloading' AND {Held}
        """;

    /// <summary>
    /// A source that appears wakes whoever waits for one (<see cref="ReplicaTransitions.WakeSql"/>), but not a replica that is just being tried, which
    /// therefore looks itself before it waits. changed_at of a replica under way is the time of its claim; a claim that knew of no source
    /// looks for any, because what it did not see may have been written before it and committed after.
    /// </summary>
    private const string SourceSinceClaim = """
        EXISTS (
            SELECT FROM filetransfer.replicas s
            WHERE s.file_key = r.file_key AND s.node_id <> r.node_id AND s.state = 'stored'
              AND (
                  s.changed_at > r.changed_at
                  OR (NOT @knewSources AND EXISTS (SELECT FROM filetransfer.nodes n WHERE n.node_id = s.node_id))
              )
        )
        """;

    /// <summary>Waits for an upload that is being committed: it has woken who waited by then, and this replica does not yet.</summary>
    private const string AwaitUpload = "SELECT FROM filetransfer.files WHERE file_key = @key FOR SHARE";

    /// <summary>Puts the claimed replica back to be tried again.</summary>
    /// <param name="bytesProven">What is kept of it; null = as much as before.</param>
    /// <param name="delay">When to try again at the latest; a source that appears, or has appeared since the claim, ends the wait.</param>
    public Task<bool> RetryAsync(
        LockConnection session,
        ClaimedReplica claim,
        string reason,
        long? bytesProven,
        bool spendsAttempt,
        TimeSpan delay,
        CancellationToken cancellationToken
    ) => ReleaseAsync(session, claim, new Release(reason, bytesProven, delay, spendsAttempt), cancellationToken);

    /// <summary>Puts the claimed replica back after an attempt that failed for a cause.</summary>
    public Task<bool> RetryAsync(
        LockConnection session,
        ClaimedReplica claim,
        FailureCause cause,
        string reason,
        long? bytesProven,
        TimeSpan delay,
        CancellationToken cancellationToken
    ) => ReleaseAsync(session, claim, new Release(reason, bytesProven, delay, true, cause), cancellationToken);

    /// <summary>Puts the claimed replica back until what it waits for comes to pass, or the time is up. Spends no attempt.</summary>
    public Task<bool> DeferAsync(
        LockConnection session,
        ClaimedReplica claim,
        WaitCondition waitsFor,
        string reason,
        long? bytesProven,
        TimeSpan delay,
        CancellationToken cancellationToken
    ) =>
        ReleaseAsync(
            session,
            claim,
            new Release(reason, bytesProven, delay, SpendsAttempt: false, WaitsFor: waitsFor),
            cancellationToken
        );

    /// <summary>Sets the claimed replica aside: its attempts are spent.</summary>
    public Task<bool> FailAsync(
        LockConnection session,
        ClaimedReplica claim,
        FailureCause cause,
        string reason,
        long? bytesProven,
        CancellationToken cancellationToken
    ) =>
        ReleaseAsync(
            session,
            claim,
            new Release(reason, bytesProven, TimeSpan.Zero, true, cause) { State = ReplicaState.Failed },
            cancellationToken
        );

    /// <summary>Sets the claimed replica aside, for a person has paused it. What has come of it is kept.</summary>
    public Task<bool> PauseAsync(
        LockConnection session,
        ClaimedReplica claim,
        string reason,
        long? bytesProven,
        CancellationToken cancellationToken
    ) =>
        ReleaseAsync(
            session,
            claim,
            new Release(reason, bytesProven, TimeSpan.Zero, SpendsAttempt: false) { State = ReplicaState.Paused },
            cancellationToken
        );

    private Task<bool> ReleaseAsync(
        LockConnection session,
        ClaimedReplica claim,
        Release release,
        CancellationToken cancellationToken
    )
    {
        var knewSources = claim.Providers.Nodes.Count > 0;
        var statement = Command(
            _releaseClaim,
            ("node", node.Value),
            ("key", claim.Key.ToArray()),
            ("epoch", claim.Epoch),
            ("state", ReplicaTransitions.NameOf(release.State)),
            ("waitsFor", WaitConditions.NameOf(release.WaitsFor)),
            ("reason", release.Reason),
            ("spent", release.SpendsAttempt ? 1 : 0),
            ("cause", release.Cause is { } one ? FailureCauses.SlugOf(one) : null),
            ("delay", release.Delay),
            ("wakes", release.State == ReplicaState.Failed || release.Delay > TimeSpan.Zero),
            ("proven", release.BytesProven),
            ("knewSources", knewSources)
        );
        NpgsqlBatchCommand[] statements = knewSources
            ? [statement]
            : [Command(AwaitUpload, ("key", claim.Key.ToArray())), statement];
        return EndAsync(session, claim, statements, cancellationToken);
    }

    private sealed record Release(
        string Reason,
        long? BytesProven,
        TimeSpan Delay,
        bool SpendsAttempt,
        FailureCause? Cause = null,
        WaitCondition WaitsFor = WaitCondition.Time
    )
    {
        public ReplicaState State { get; init; } = ReplicaState.Wanted;
    }
}
