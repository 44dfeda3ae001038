namespace FileTransfer.Exports;

/// <summary>An export that this node runs or has run.</summary>
internal sealed class ExportJob(string name, string folder, ExportOrder order, bool links, DateTimeOffset begunAt)
    : IExportWatcher,
        IDisposable
{
    private const int MostTold = 100;

    private readonly ConcurrentQueue<ExportFailure> _failures = new();
    private readonly CancellationTokenSource _cancel = new();
    private long _bytesDone;
    private volatile Ending? _end;

    public string Name => name;

    public string Folder => folder;

    public ExportOrder Order => order;

    public bool Links => links;

    public CancellationToken Cancelled => _cancel.Token;

    public bool IsRunning => _end is null;

    /// <summary>Ends with the export, however that ends.</summary>
    public Task Work { get; set; } = Task.CompletedTask;

    /// <summary>The run, once it has begun.</summary>
    public ExportRun? Run { get; set; }

    /// <summary>What it is about.</summary>
    public (long Files, long Bytes) Total { get; set; }

    public Task CancelAsync() => _cancel.CancelAsync();

    public void Finish(string state, DateTimeOffset at, string? reason) => _end = new Ending(state, at, reason);

    public IExportProgress Begin(ExportFile file) => new Progress(this);

    public void Tell(ExportFile file, ExportMeans? means)
    {
        if (means is null && !order.Verifies)
        {
            Interlocked.Add(ref _bytesDone, (long)file.Metadata.Size);
        }
    }

    public void Fail(FileKey key, Exception fault)
    {
        if (_failures.Count < MostTold)
        {
            _failures.Enqueue(new ExportFailure(key.ToString(), fault.Message));
        }
    }

    public ExportResource Describe()
    {
        var (end, counts) = (_end, Run?.Counts);
        return new ExportResource(
            name,
            folder,
            end?.State ?? ExportResource.Running,
            begunAt,
            end?.At,
            Total.Files,
            Total.Bytes,
            counts?.Kept ?? 0,
            counts?.Exported.ToDictionary(one => one.Key.ToString().ToLowerInvariant(), one => one.Value) ?? [],
            counts?.Gone ?? 0,
            counts?.Failed ?? 0,
            counts?.Pruned ?? 0,
            counts?.Held ?? 0,
            Interlocked.Read(ref _bytesDone),
            end?.Reason,
            [.. _failures]
        );
    }

    public void Dispose() => _cancel.Dispose();

    private sealed record Ending(string State, DateTimeOffset At, string? Reason);

    /// <summary>A file on its way, or as it is read to be proven.</summary>
    private sealed class Progress(ExportJob job) : IExportProgress
    {
        private long _done;

        public void Report(long value) => Interlocked.Add(ref job._bytesDone, value - Interlocked.Exchange(ref _done, value));

        public void Dispose() { }
    }
}
