namespace FileTransfer.Catalog.Replicas;

/// <content>Replicas of files that no node has: they wait outside the queue until one has, and cost a claim nothing.</content>
/// <remarks>
/// A node that gets a file stored wakes whoever waits for it (<see cref="ReplicaTransitions.WakeSql"/>). Two commits may miss each other: one that
/// stores, and one that defers. So a replica is looked at again a moment after it was deferred, and from then on more and more rarely.
/// </remarks>
public sealed partial class ReplicaQueue
{
    /// <summary>Why a replica waits whose file no other node has.</summary>
    public const string NoProvider = "no other node has it stored";

    /// <summary>Replicas deferred, or looked at again, in one statement: some tens of milliseconds.</summary>
    private const int DeferredAtOnce = 2000;

    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(200);

    /// <summary>Whether <c>r</c>, with its providers, may be claimed.</summary>
    private const string Claimable =
        $"coalesce(r.nodes, r.upstreams) IS NOT NULL OR ($5 AND r.priority > 0) OR r.in_folder OR {HeldHere}";

    /// <summary>Whether this node has the content under another key; <c>r</c> has the fingerprint.</summary>
    /// <remarks>
    /// By the fingerprint first: begun at the other end it would read all that the node wants, for each row. The inner question is a value and
    /// not an EXISTS, which the planner may answer from a hash of all rows of the node, made anew for each row (PostgreSQL 15 to 18, where
    /// the statistics are of before the node had so many).
    /// </remarks>
    private const string HeldHere = """
        EXISTS (
            SELECT FROM (SELECT file_key FROM filetransfer.files WHERE fingerprint = r.fingerprint OFFSET 0) twin
            WHERE (
                SELECT held.state = 'stored' FROM filetransfer.replicas held
                WHERE held.node_id = r.node_id AND held.file_key = twin.file_key
            )
        )
        """;

    /// <summary>Whether somebody has the file of <c>r</c>. In a CASE, so that it is asked of each row by an index, never of the whole table.</summary>
    private const string Provided = $"""
        CASE WHEN EXISTS (
            SELECT FROM filetransfer.replicas source JOIN filetransfer.nodes n ON n.node_id = source.node_id
            WHERE source.file_key = r.file_key AND source.state = 'stored' AND source.node_id <> r.node_id
        ) OR r.in_folder THEN true ELSE {HeldHere} END
        """;

    /// <summary>For how long it has been wanted; somebody may have written a time that is none.</summary>
    private const string WantedFor = "(now() - CASE WHEN isfinite(r.wanted_at) THEN r.wanted_at ELSE now() END)";

    /// <summary>
    /// When a replica without a provider is looked for next: from a minute to half an hour, the longer the longer it has been wanted, so that
    /// however many wait, few are looked for in a second.
    /// </summary>
    private const string NextLook =
        $"least(greatest({WantedFor}, interval '1 minute'), interval '30 minutes') * (0.5 + random())";

    /// <summary>As <see cref="NextLook"/>, for who was asked in vain and says himself how soon he is asked again at first.</summary>
    private const string LaterLook = $"least({WantedFor}, interval '30 minutes') * (0.5 + random())";

    private const string AndIsDue = "AND next_attempt_at IS NOT NULL AND waits_for = 'provider' AND next_attempt_at <= now()";

    private static readonly string _deferUnprovided = $"""
        WITH next AS MATERIALIZED (
            SELECT node_id, file_key, in_folder FROM filetransfer.replicas
            WHERE node_id = @node AND state = 'wanted' AND next_attempt_at IS NULL AND NOT (@asksShares AND priority > 0)
            ORDER BY priority DESC, wanted_at LIMIT @atOnce
            FOR UPDATE SKIP LOCKED
        ), seen AS MATERIALIZED (
            SELECT r.node_id, r.file_key, {Provided} AS is_provided
            FROM (SELECT next.*, f.fingerprint FROM next JOIN filetransfer.files f USING (file_key)) r
        )
        UPDATE filetransfer.replicas r
        SET next_attempt_at = clock_timestamp() + @lookAgain, waits_for = 'provider', reason = '{NoProvider}', changed_at = clock_timestamp()
        FROM seen
        WHERE r.node_id = seen.node_id AND r.file_key = seen.file_key AND NOT seen.is_provided
        """;

    private static readonly string _lookForProviders = $"""
        WITH due AS MATERIALIZED (
            SELECT node_id, file_key, in_folder FROM filetransfer.replicas
            WHERE node_id = @node AND state = 'wanted' {AndIsDue}
            ORDER BY next_attempt_at LIMIT @atOnce
            FOR UPDATE SKIP LOCKED
        ), seen AS MATERIALIZED (
            SELECT r.node_id, r.file_key, {Provided} AS is_provided
            FROM (SELECT due.*, f.fingerprint FROM due JOIN filetransfer.files f USING (file_key)) r
        ), looked AS (
            UPDATE filetransfer.replicas r
            SET next_attempt_at = CASE WHEN NOT seen.is_provided THEN clock_timestamp() + {NextLook} END,
                waits_for = CASE WHEN NOT seen.is_provided THEN 'provider' END,
                in_folder = CASE WHEN seen.is_provided THEN r.in_folder END
            FROM seen
            WHERE r.node_id = seen.node_id AND r.file_key = seen.file_key
            RETURNING seen.is_provided
        )
        SELECT count(*) FROM looked WHERE is_provided
        """;

    /// <summary>
    /// Defers replicas at the head of the queue whose files nobody has. Sources that do not say what they have are asked for them at once.
    /// </summary>
    /// <returns>How many of the <see cref="DeferredAtOnce"/> next ones were deferred.</returns>
    public Task<int> DeferUnprovidedAsync(NpgsqlConnection connection, bool asksShares, CancellationToken cancellationToken)
    {
        var parameters = new
        {
            node,
            asksShares,
            atOnce = DeferredAtOnce,
            lookAgain = LookAgainAfter(asksShares),
        };
        return connection.ExecuteAsync(_deferUnprovided, parameters, cancellationToken);
    }

    /// <summary>Looks whether somebody has by now what is due to be looked for.</summary>
    /// <returns>How many replicas became ready.</returns>
    public Task<int> LookForProvidersAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.QuerySingleAsync<int>(_lookForProviders, new { node, atOnce = DeferredAtOnce }, cancellationToken);

    private static TimeSpan LookAgainAfter(bool asksShares) => asksShares ? TimeSpan.Zero : _lookAgain;
}
