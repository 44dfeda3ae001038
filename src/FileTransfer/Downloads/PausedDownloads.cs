using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads;

/// <summary>What a person has paused at this node: everything, a bucket, or a file.</summary>
/// <param name="Until">When it ends by itself.</param>
/// <param name="PausedBy">The name of the token.</param>
public sealed record Pause(ByteString? Bucket, FileKey? FileKey, DateTimeOffset Until, string? PausedBy, DateTimeOffset PausedAt)
{
    public bool IsOfAll => Bucket is null && FileKey is null;

    public bool IsForever => Until == DateTimeOffset.MaxValue;

    public string Reason =>
        $"paused by {PausedBy ?? "a person"} "
        + (IsForever ? "until it is resumed" : $"until {Until.ToString("u", CultureInfo.InvariantCulture)}");
}

/// <param name="Files">Files that were set aside, or are wanted again; that would be, where nothing was to be changed.</param>
/// <param name="Downloads">Downloads that were stopped.</param>
public sealed record PauseEffect(long Files, int Downloads);

/// <summary>The pauses of this node: owner of <c>filetransfer.pauses</c>. A pause outlives the process and ends by itself.</summary>
/// <remarks>
/// A file or a bucket that is paused has its waiting replicas in state <c>paused</c>; lanes set aside what they find running, or claim of it later. While everything
/// is paused the queue is left as it is, and no lane claims.
/// </remarks>
public sealed partial class PausedDownloads(
    Database database,
    FileCatalog catalog,
    ReplicaTransitions transitions,
    ReplicaTable replicas,
    DownloadEngine engine,
    QueueSignal signal,
    NodeId node,
    ILogger<PausedDownloads> logger
)
{
    /// <summary>SQL: a pause of <c>@node</c> is over.</summary>
    internal const string HasEnded = "EXISTS (SELECT FROM filetransfer.pauses WHERE node_id = @node AND until <= now())";

    private volatile IReadOnlyList<Pause> _all = [];

    /// <summary>All pauses that stand.</summary>
    public IReadOnlyList<Pause> All => _all;

    /// <summary>The pause of everything; null while there is none.</summary>
    public Pause? OfAll => _all.FirstOrDefault(pause => pause.IsOfAll);

    /// <summary>All pauses of a node that is taken out of the cluster.</summary>
    internal static Task ForgetNodeAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken) =>
        connection.ExecuteAsync("DELETE FROM filetransfer.pauses WHERE node_id = @node", new { node }, cancellationToken);

    /// <summary>Reads the pauses, ends those that are over, and makes the queue follow them.</summary>
    /// <returns>How many files were set aside, and how many are wanted again.</returns>
    public async Task<(long Paused, long Resumed)> FollowAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            DELETE FROM filetransfer.pauses WHERE node_id = @node AND until <= now();
            SELECT bucket, file_key, until, paused_by, paused_at FROM filetransfer.pauses
            WHERE node_id = @node AND (file_key IS NULL OR length(file_key) = 32) ORDER BY paused_at
            """;
        _all = await database.QueryAsync<Pause>(sql, new { node }, cancellationToken);
        var changed = await transitions.FollowPausesAsync(node, FilesOf(_all), changes: true, cancellationToken);
        signal.Set();
        return changed;
    }

    /// <summary>The heartbeat says that a pause is over.</summary>
    internal async Task ResumeDueAsync()
    {
        try
        {
            var (_, resumed) = await FollowAsync(CancellationToken.None);
            Log.Resumed(logger, node.Value, resumed);
        }
        catch (NpgsqlException)
        {
            // The next heartbeat says so again.
        }
    }

    /// <summary>Pauses; what was paused in the same words before ends as this one does.</summary>
    /// <param name="until">Null = until it is resumed.</param>
    public async Task<PauseEffect> PauseAsync(
        ByteString? bucket,
        FileKey? file,
        TimeSpan? until,
        string? by,
        bool changes,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            INSERT INTO filetransfer.pauses (node_id, bucket, file_key, until, paused_by)
            VALUES (@node, @bucket, @file, coalesce(now() + @until, 'infinity'), @by)
            ON CONFLICT (node_id, bucket, file_key) DO UPDATE
                SET until = EXCLUDED.until, paused_by = EXCLUDED.paused_by, paused_at = clock_timestamp()
            """;
        if (changes)
        {
            var parameters = new
            {
                node,
                bucket,
                file,
                until,
                by,
            };
            await database.ExecuteAsync(sql, parameters, cancellationToken);
            var (paused, _) = await FollowAsync(cancellationToken);
            var stopped = await StopAsync(cancellationToken);
            return new PauseEffect(bucket is null && file is null ? await WaitingAsync(cancellationToken) : paused, stopped);
        }

        Pause added = new(bucket, file, DateTimeOffset.MaxValue, by, default);
        IReadOnlyList<Pause> then = [.. _all, added];
        var running = await CoveredAsync(engine.Running, then, cancellationToken);
        var files = added.IsOfAll
            ? await WaitingAsync(cancellationToken)
            : (await transitions.FollowPausesAsync(node, FilesOf(then), changes: false, cancellationToken)).Paused;
        return new PauseEffect(files, added.IsOfAll ? engine.Running.Count : running.Count);
    }

    /// <summary>Ends the pause of a bucket, of a file, or every pause there is.</summary>
    public async Task<PauseEffect> ResumeAsync(
        ByteString? bucket,
        FileKey? file,
        bool changes,
        CancellationToken cancellationToken
    )
    {
        var isAll = bucket is null && file is null;
        if (!changes)
        {
            var left = _all.Where(pause => !isAll && !(pause.Bucket == bucket && pause.FileKey == file));
            var counted = await transitions.FollowPausesAsync(node, FilesOf(left), changes: false, cancellationToken);
            return new PauseEffect(counted.Resumed + (isAll ? await WaitingAsync(cancellationToken) : 0), 0);
        }

        const string sql = """
            DELETE FROM filetransfer.pauses
            WHERE node_id = @node AND (@isAll OR (bucket IS NOT DISTINCT FROM @bucket AND file_key IS NOT DISTINCT FROM @file))
            """;
        var wasAll = OfAll is not null;
        await database.ExecuteAsync(
            sql,
            new
            {
                node,
                isAll,
                bucket,
                file,
            },
            cancellationToken
        );
        var (_, resumed) = await FollowAsync(cancellationToken);
        return new PauseEffect(wasAll && isAll ? await WaitingAsync(cancellationToken) : resumed, 0);
    }

    /// <summary>Which of these files are paused by themselves or with their buckets, and why.</summary>
    public Task<IReadOnlyDictionary<FileKey, string>> ReasonsAsync(
        IReadOnlyCollection<FileKey> files,
        CancellationToken cancellationToken
    ) => CoveredAsync(files, _all, cancellationToken);

    private async Task<IReadOnlyDictionary<FileKey, string>> CoveredAsync(
        IReadOnlyCollection<FileKey> files,
        IReadOnlyList<Pause> pauses,
        CancellationToken cancellationToken
    )
    {
        var covered = new Dictionary<FileKey, string>();
        if (files.Count == 0 || pauses.All(pause => pause.IsOfAll))
        {
            return covered;
        }

        foreach (var pause in pauses.Where(pause => pause.FileKey is { } file && files.Contains(file)))
        {
            covered[pause.FileKey!.Value] = pause.Reason;
        }

        if (pauses.Any(pause => pause.Bucket is not null))
        {
            foreach (var (key, bucket) in await catalog.BucketsOfAsync(files, cancellationToken))
            {
                if (pauses.FirstOrDefault(pause => pause.Bucket == bucket) is { } pause)
                {
                    covered.TryAdd(key, pause.Reason);
                }
            }
        }

        return covered;
    }

    /// <summary>Stops what is being downloaded and paused; its lane sets it aside.</summary>
    private async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        var running = engine.Running;
        var stopped = OfAll is null ? [.. (await ReasonsAsync(running, cancellationToken)).Keys] : running;
        foreach (var file in stopped)
        {
            engine.Abort(file);
        }

        return stopped.Count;
    }

    private async Task<long> WaitingAsync(CancellationToken cancellationToken) =>
        (await replicas.QueueAsync(node, cancellationToken))
            .Where(part => part.State is "ready" or "waiting" or "unprovided")
            .Sum(part => part.Count);

    private static IReadOnlyList<PausedFiles> FilesOf(IEnumerable<Pause> pauses) =>
        [.. pauses.Where(pause => !pause.IsOfAll).Select(pause => new PausedFiles(pause.Bucket, pause.FileKey, pause.Reason))];

    private static partial class Log
    {
        [LoggerMessage(1665, LogLevel.Information, "A pause at {Node} is over; {Count} files are wanted again")]
        public static partial void Resumed(ILogger logger, string node, long count);
    }
}
