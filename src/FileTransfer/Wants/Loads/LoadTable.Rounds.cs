using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Downloads;
using FileTransfer.Downloads.Progress;

namespace FileTransfer.Wants.Loads;

/// <summary>A file of a load that is not known yet, or was removed, or is not this cluster's own.</summary>
/// <param name="Metadata">JSON; null where the catalog has it.</param>
internal sealed record UnclaimedFile(FileKey Key, string? Metadata);

/// <content>The rounds of a load: each wants its files, and sees which of them come.</content>
internal sealed partial class LoadTable
{
    /// <summary>Files in one transaction, which locks their rows.</summary>
    private const int AtOnce = 1000;

    private const string OfLoad = """
        filetransfer.load_files l
        LEFT JOIN filetransfer.files f ON f.file_key = l.file_key
        LEFT JOIN filetransfer.replicas r ON r.node_id = @node AND r.file_key = l.file_key
        """;

    /// <summary>The loads that run, and those that have ended and are not settled; the newest first.</summary>
    public Task<IReadOnlyList<LoadRow>> OpenAsync(CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT {LoadRow.Columns} FROM filetransfer.loads
            WHERE node_id = @node AND (ended_at IS NULL OR NOT settled) ORDER BY load_id DESC
            """;
        return database.QueryAsync<LoadRow>(sql, new { node }, cancellationToken);
    }

    /// <summary>Files that this cluster is to claim first, as far as their metadata is known.</summary>
    /// <param name="ofUpstreams">Also those that only upstreams want here.</param>
    public Task<IReadOnlyList<UnclaimedFile>> UnclaimedAsync(LoadRow load, bool ofUpstreams, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT l.file_key AS key, min(CASE WHEN f.file_key IS NULL THEN l.metadata END) AS metadata FROM {OfLoad}
            WHERE l.load_id = @load AND CASE
                WHEN f.file_key IS NULL THEN l.metadata IS NOT NULL
                WHEN f.state = 'removed' THEN l.readd
                ELSE @ofUpstreams AND NOT f.own
            END
            GROUP BY l.file_key ORDER BY l.file_key LIMIT @atOnce
            """;
        var parameters = new
        {
            node,
            load = load.LoadId,
            ofUpstreams,
            atOnce = AtOnce,
        };
        return database.QueryAsync<UnclaimedFile>(sql, parameters, cancellationToken);
    }

    /// <summary>They have been claimed: who removes them now means it.</summary>
    public Task ClaimedAsync(LoadRow load, IEnumerable<FileKey> keys, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            "UPDATE filetransfer.load_files SET readd = false, metadata = NULL WHERE load_id = @load AND file_key = ANY(@keys)",
            new { load = load.LoadId, keys = keys.ToParameter() },
            cancellationToken
        );

    public void TellFaulty(LoadRow load, FileKey key) =>
        database.FaultyRows.Tell("load_files", $"{load.LoadId} {key}", "its metadata is not the file's; it is asked for anew");

    /// <summary>Files whose metadata nobody has been asked for in this round.</summary>
    public Task<IReadOnlyList<FileKey>> UndescribedAsync(LoadRow load, int atMost, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT DISTINCT l.file_key FROM {OfLoad}
            WHERE l.load_id = @load AND f.file_key IS NULL AND l.metadata IS NULL AND l.round < @round LIMIT @atMost
            """;
        var parameters = new
        {
            node,
            load = load.LoadId,
            load.Round,
            atMost,
        };
        return database.QueryAsync<FileKey>(sql, parameters, cancellationToken);
    }

    /// <summary>What was heard of the metadata of a file in a round: JSON, or why it is not known.</summary>
    public Task DescribeAsync(LoadRow load, FileKey key, string? metadata, string? reason, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.load_files
            SET metadata = @metadata, reason = @reason, round = CASE WHEN @metadata::text IS NULL THEN @round ELSE round END
            WHERE load_id = @load AND file_key = @key
            """;
        var parameters = new
        {
            load = load.LoadId,
            load.Round,
            key,
            metadata,
            reason,
        };
        return database.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>
    /// Wants some of the files: those that are known and not wanted here yet; at the beginning of a round those that failed or back off, too.
    /// </summary>
    /// <param name="claimed">Those that were just claimed: only where there are none it is looked for others.</param>
    /// <returns>How many were looked at, and which were not wanted before.</returns>
    public async Task<(int Seen, IReadOnlyList<ReplicaChange> Wanted)> WantAsync(
        LoadRow load,
        IReadOnlyList<FileKey> claimed,
        CancellationToken cancellationToken
    )
    {
        const string next = $"""
            SELECT DISTINCT l.file_key FROM {OfLoad}
            WHERE l.load_id = @load AND f.state <> 'removed' AND (
                r.state IS NULL OR r.state = 'removing'
                OR (@begins AND r.state IN ('wanted', 'failed') AND r.changed_at < @roundAt AND r.waits_for IS DISTINCT FROM 'upload')
            )
            ORDER BY l.file_key LIMIT @atOnce
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var parameters = new
        {
            node,
            load = load.LoadId,
            load.RoundAt,
            begins = load.BegunRound < load.Round,
            atOnce = AtOnce,
        };
        var keys =
            claimed.Count > 0 ? claimed : (await connection.QueryAsync<FileKey>(next, parameters, cancellationToken)).AsList();
        if (keys.Count == 0)
        {
            return (0, []);
        }

        var files = await FileCatalog.LockAsync(connection, keys, cancellationToken);
        var there = files.Where(file => file.State != FileState.Removed).ToDictionary(file => file.Key);
        var wanted = await ReplicaTransitions.WantAskedAsync(connection, node, there.Keys, load.Rank, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (keys.Count, [.. wanted.Select(key => new ReplicaChange(key, there[key].Size))]);
    }

    /// <summary>All files of the round have been made ready.</summary>
    public Task BegunRoundAsync(LoadRow load, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            "UPDATE filetransfer.loads SET begun_round = @round WHERE load_id = @load",
            new { load = load.LoadId, load.Round },
            cancellationToken
        );

    /// <summary>Notes which files could not be had in this round.</summary>
    /// <remarks>
    /// What waits for room on this node's own disk, or for its turn at a source, was not refused by any. And a source may take its time for a first answer: a probe
    /// that is not answered ends after twice <see cref="DownloadOptions.FirstBytePatience"/>, and one that is wakes who waits for it.
    /// </remarks>
    public Task MarkInVainAsync(LoadRow load, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.load_files l SET round = @round, reason = r.reason
            FROM filetransfer.replicas r
            WHERE l.load_id = @load AND l.round < @round AND r.node_id = @node AND r.file_key = l.file_key AND (
                r.state = 'failed' OR (r.state = 'wanted' AND r.waits_for = 'upload' AND r.next_attempt_at IS NOT NULL)
                OR (
                    r.changed_at >= @roundAt
                    AND (
                        r.state = 'wanted' AND r.next_attempt_at IS NOT NULL
                            AND (r.waits_for = 'provider' OR r.waits_for = 'source' AND r.changed_at <= clock_timestamp() - @patience)
                        OR r.state IN ('wanted', 'downloading') AND r.attempts > 0
                    )
                )
            )
            """;
        var parameters = new
        {
            node,
            load = load.LoadId,
            load.Round,
            load.RoundAt,
            patience = 3 * downloads.Value.FirstBytePatience,
        };
        return database.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>The next round begins after the pause.</summary>
    public Task EndRoundAsync(LoadRow load, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            "UPDATE filetransfer.loads SET round = @round + 1, round_at = clock_timestamp() + pause WHERE load_id = @load AND ended_at IS NULL",
            new { load = load.LoadId, load.Round },
            cancellationToken
        );

    /// <param name="underWay">Downloads of this process, which are further than the catalog knows.</param>
    public Task<LoadProgress> ProgressAsync(
        LoadRow load,
        IReadOnlyList<LiveDownload> underWay,
        CancellationToken cancellationToken
    ) =>
        database.WithConnectionAsync(
            connection => ProgressAsync(connection, load, underWay, cancellationToken),
            cancellationToken
        );

    private Task<LoadProgress> ProgressAsync(
        NpgsqlConnection connection,
        LoadRow load,
        IReadOnlyList<LiveDownload> underWay,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            SELECT count(*) FILTER (WHERE r.state = 'stored')::integer AS stored,
                count(*) FILTER (WHERE f.file_key IS NULL)::integer AS unknown,
                count(*) FILTER (WHERE f.state = 'removed' AND NOT l.readd)::integer AS removed,
                count(*) FILTER (WHERE r.state IS DISTINCT FROM 'stored' AND l.round >= @round)::integer AS in_vain,
                count(live.bytes) FILTER (WHERE r.state = 'downloading')::integer AS moving,
                count(*) FILTER (WHERE CASE
                    WHEN f.file_key IS NULL THEN l.metadata IS NOT NULL OR l.round < @round
                    WHEN f.state = 'removed' THEN l.readd
                    ELSE NOT f.own OR r.state IS NULL OR r.state = 'removing'
                END)::integer AS unready,
                coalesce(sum(f.size), 0)::bigint AS bytes,
                coalesce(sum(CASE r.state WHEN 'stored' THEN f.size ELSE greatest(r.bytes_proven, live.bytes) END), 0)::bigint AS bytes_proven
            FROM {OfLoad}
            LEFT JOIN unnest(@live, @bytes) AS live (file_key, bytes) ON live.file_key = l.file_key
            WHERE l.load_id = @load
            """;
        var parameters = new
        {
            node,
            load = load.LoadId,
            load.Round,
            live = underWay.Select(one => one.File).ToParameter(),
            bytes = underWay.Select(one => one.BytesProven).ToArray(),
        };
        return connection.QuerySingleAsync<LoadProgress>(sql, parameters, cancellationToken);
    }
}
