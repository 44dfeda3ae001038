using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;

namespace FileTransfer.Exports;

/// <summary>The exports that this node runs itself, one at a time, below the folder that its configuration names.</summary>
/// <remarks>What they have written stays, and is gone on with: by itself where the process ended before the export did. Of others it is forgotten with the process that they ran.</remarks>
internal sealed partial class ExportJobs(
    ChunkStore store,
    Database database,
    NodeId node,
    IOptions<StoreOptions> storing,
    WorkerRegistry workers,
    TimeProvider time,
    ILogger<ExportJobs> logger
) : IHostedService
{
    private const int MostRemembered = 100;

    private readonly Lock _gate = new();
    private readonly List<ExportJob> _jobs = [];
    private readonly ExportNote _note = new(store.DataDirectory);
    private readonly Worker _worker = workers.Add("exports", "writes stored files to folders that web servers share");
    private bool _stops;

    /// <summary>The last one under each name, the newest first.</summary>
    public IReadOnlyList<ExportJob> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _jobs];
            }
        }
    }

    public ExportJob? Find(string name) => All.FirstOrDefault(job => job.Name == name);

    /// <param name="order">What the request asks for.</param>
    /// <returns>Whether this one runs now; else the one that does.</returns>
    public bool TryStart(ExportRequest request, string root, ExportOrder order, out ExportJob running)
    {
        lock (_gate)
        {
            if (_jobs.Find(job => job.IsRunning) is { } other)
            {
                running = other;
                return false;
            }

            _note.Save(request);
            var name = request.Name!;
            running = new ExportJob(name, Path.Combine(root, name), order, request.Link ?? false, time.GetUtcNow());
            _jobs.RemoveAll(job => job.Name == name);
            _jobs.Insert(0, running);
            if (_jobs.Count > MostRemembered)
            {
                _jobs.RemoveAt(MostRemembered);
            }

            if (_stops)
            {
                running.Finish("cancelled", time.GetUtcNow(), null);
            }
            else
            {
                running.Work = RunAsync(running);
            }

            return true;
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_note.Load() is { } request)
            {
                GoOnWith(request);
            }
        }
        catch (JsonException malformed)
        {
            Log.Failed(logger, "of before", node, malformed.Message);
        }

        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<ExportJob> jobs;
        lock (_gate)
        {
            _stops = true;
            jobs = [.. _jobs];
        }

        foreach (var job in jobs)
        {
            await job.CancelAsync();
            await job.Work;
            job.Dispose();
        }
    }

    /// <summary>The process before this one ended in the middle of it.</summary>
    private void GoOnWith(ExportRequest request)
    {
        if (storing.Value.ExportFolder is { } root && ExportRoutes.Read(request) is ({ } order, _))
        {
            TryStart(request, root, order, out var job);
            Log.GoesOn(logger, job.Name, node);
        }
        else
        {
            _note.Delete();
            Log.Failed(logger, request.Name ?? "", node, "it was interrupted, and this node writes no such share any more");
        }
    }

    private async Task RunAsync(ExportJob job)
    {
        await Task.Yield();
        try
        {
            await _worker.RunAsync(() => WriteAsync(job), job.Cancelled);
            var failed = job.Run!.Counts.Failed;
            job.Finish(
                failed == 0 ? "done" : "failed",
                time.GetUtcNow(),
                failed == 0 ? null : $"{failed} files could not be exported"
            );
        }
        catch (OperationCanceledException) when (job.Cancelled.IsCancellationRequested)
        {
            job.Finish("cancelled", time.GetUtcNow(), null);
        }
        catch (Exception fault)
        {
            job.Finish("failed", time.GetUtcNow(), fault.Message);
            Log.Failed(logger, job.Name, node, fault.Message);
        }

        if (!_stops)
        {
            _note.Delete();
        }
    }

    private async Task WriteAsync(ExportJob job)
    {
        await database.WaitUntilReadyAsync(job.Cancelled);

        // A disk that is not mounted is not to be made up for by the one below it.
        if (Path.GetDirectoryName(job.Folder) is { } root && !Directory.Exists(root))
        {
            throw new DirectoryNotFoundException($"{root} is not there; mount the disk, or make the folder.");
        }

        // Whoever may write there must not lead this process to another place.
        if (new DirectoryInfo(job.Folder).LinkTarget is not null)
        {
            throw new IOException($"{job.Folder} is a link; make it a folder.");
        }

        using var share =
            ExportFolder.TryOpen(job.Folder, new FreeSpaceFloor(storing.Value.Store.FreeSpaceFloorBytes))
            ?? throw new IOException($"Another process is exporting to {job.Folder}.");
        var origin = new StoreOrigin(store, database.Pool, job.Links);
        job.Run = new ExportRun(origin, share, job.Order, job, time);
        job.Total = await CountAsync(job.Order, job.Cancelled);
        await job.Run.RunAsync(job.Cancelled);
    }

    private Task<(long Files, long Bytes)> CountAsync(ExportOrder order, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT count(*), coalesce(sum(f.size), 0)::bigint FROM filetransfer.files f JOIN filetransfer.replicas r USING (file_key)
            WHERE r.node_id = @node AND r.state = 'stored' AND (@keys::bytea[] IS NULL OR f.file_key = ANY(@keys))
                AND (@bucket::bytea IS NULL OR f.bucket = @bucket)
                AND (@location::bytea IS NULL OR substring(f.location FOR length(@location)) = @location)
            """;
        var parameters = new
        {
            node,
            keys = order.Keys?.ToParameter(),
            bucket = order.Filter.Bucket?.ToArray(),
            location = order.Filter.Location is { } text ? Encoding.UTF8.GetBytes(text) : null,
        };
        return database.QuerySingleAsync<(long, long)>(sql, parameters, cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(2200, LogLevel.Warning, "Export {Name} failed on {Node}: {Reason}")]
        public static partial void Failed(ILogger logger, string name, NodeId node, string reason);

        [LoggerMessage(2201, LogLevel.Information, "Export {Name} was interrupted and goes on at {Node}")]
        public static partial void GoesOn(ILogger logger, string name, NodeId node);
    }
}
