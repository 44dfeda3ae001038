using FileTransfer.Bandwidth;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;

namespace FileTransfer.Catalog.Repair;

/// <summary>Proves the contents of the files that a person names, or of a bucket's, now and beside the pass over everything.</summary>
/// <remarks>What is named while some are left is added to them. A restart forgets what is left: whoever asked asks again.</remarks>
public sealed partial class NamedScrub(
    ScrubProof proof,
    DamagedContents damaged,
    FileCatalog catalog,
    NodeId here,
    TimeProvider time,
    ILogger<NamedScrub> logger
) : BackgroundService
{
    private const int PageLength = 500;
    private static readonly TimeSpan _longestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _afterFault = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Queue<FileRecord> _files = [];
    private readonly Queue<ByteString> _buckets = [];
    private readonly RateFlow _flow = new();
    private readonly AsyncAutoResetEvent _hint = new();
    private volatile NamedScrubResource? _progress;
    private FileRecord? _after;

    /// <summary>How far it is; null where nobody has named any since the node started.</summary>
    public NamedScrubResource? Progress => _progress;

    public void Start(ByteString bucket) => Start(() => _buckets.Enqueue(bucket));

    public void Start(IReadOnlyList<FileRecord> files) => Start(() => AddAll(files));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await StepAsync(stoppingToken);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException || DatabaseReach.IsFailure(fault))
            {
                Log.Interrupted(logger, fault, here, _afterFault.TotalSeconds);
                await Task.Delay(_afterFault, time, stoppingToken);
            }
        }
    }

    private void Start(Action add)
    {
        lock (_lock)
        {
            add();
            _progress = _progress is { EndedAt: null } running
                ? running
                : new NamedScrubResource(time.GetUtcNow(), null, 0, 0, 0, 0);
        }

        _hint.Set();
    }

    private void AddAll(IEnumerable<FileRecord> files)
    {
        foreach (var file in files)
        {
            _files.Enqueue(file);
        }
    }

    /// <summary>Proves the next file, finds more of a bucket, or waits for something to do.</summary>
    private async Task StepAsync(CancellationToken cancellationToken)
    {
        FileRecord? file;
        ByteString bucket = default;
        bool isBucket;
        lock (_lock)
        {
            isBucket = !_files.TryPeek(out file) && _buckets.TryPeek(out bucket);
            if (file is null && !isBucket && _progress is { EndedAt: null })
            {
                _progress = _progress with { EndedAt = time.GetUtcNow() };
                Log.Ended(logger, here, _progress.Files, _progress.Bytes, _progress.Damaged, _progress.Mended);
            }
        }

        if (file is not null)
        {
            await ProveAsync(file, cancellationToken);
        }
        else if (isBucket)
        {
            await ListAsync(bucket, cancellationToken);
        }
        else
        {
            await _hint.WaitAsync(_longestWait, time, cancellationToken);
        }
    }

    private async Task ProveAsync(FileRecord file, CancellationToken cancellationToken)
    {
        var finding = await proof.ProveAsync(file.Fingerprint, file.Size, _flow, cancellationToken);
        if (finding is ContentFinding.Absent)
        {
            // Wants it again, where it is stored still.
            await damaged.IsIntactAsync(file.Fingerprint, file.Size, cancellationToken);
        }

        lock (_lock)
        {
            _files.Dequeue();
            _progress = _progress! with
            {
                Files = _progress.Files + 1,
                Bytes = _progress.Bytes + file.Size,
                Damaged = _progress.Damaged + (finding is ContentFinding.Intact ? 0 : 1),
                Mended = _progress.Mended + (finding is ContentFinding.Intact { HashesMended: true } ? 1 : 0),
            };
        }
    }

    private async Task ListAsync(ByteString bucket, CancellationToken cancellationToken)
    {
        var filter = new FileFilter(bucket, Owner: null, ReplicaState.Stored, LocationPrefix: null, _after, PageLength);
        var page = await catalog.ListAsync(filter, here, cancellationToken);
        lock (_lock)
        {
            AddAll(page.Files.Select(listed => listed.File));
            _after = page.Next;
            if (_after is null)
            {
                _buckets.Dequeue();
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1210,
            LogLevel.Information,
            "Scrub of named files at {Node} finished: {Files} files, {Bytes} bytes, {Damaged} damaged, {Mended} with chunk hashes repaired"
        )]
        public static partial void Ended(ILogger logger, NodeId node, long files, long bytes, long damaged, long mended);

        [LoggerMessage(1211, LogLevel.Warning, "Scrub of named files at {Node} was interrupted; resuming in {Seconds:0} s")]
        public static partial void Interrupted(ILogger logger, Exception fault, NodeId node, double seconds);
    }
}
