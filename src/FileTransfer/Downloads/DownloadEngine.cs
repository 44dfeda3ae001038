using System.Collections.Concurrent;
using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;
using FileTransfer.Cluster;
using FileTransfer.Concurrency;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;
using FileTransfer.Downloads.Sources;
using FileTransfer.Identity;
using Microsoft.Extensions.Options;

namespace FileTransfer.Downloads;

/// <summary>The engine of this node's downloads: tells one planner what happens to all of them, and carries out what it answers.</summary>
/// <remarks>
/// The planner is asked by one thread at a time, and its actions are begun in its order before it is asked again. No action waits: a fetch
/// is a task of its own, a cancellation runs on another thread, an end wakes the lane that has the file.
/// </remarks>
public sealed partial class DownloadEngine : IDisposable
{
    private readonly Lock _gate = new();
    private readonly DownloadPlanner _planner;
    private readonly Dictionary<FileKey, DownloadAttempt> _active = [];
    private readonly Dictionary<RequestId, CancellationTokenSource> _requests = [];
    private readonly ConcurrentDictionary<SourceId, bool> _patientProbes = new();
    private readonly ConcurrentDictionary<(SourceId Source, FileKey File), bool> _complaints = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly ITimer _timer;
    private readonly long _began;
    private readonly ChunkStore _store;
    private readonly DiskPressure _disk;
    private readonly SourceRegistry _sources;
    private readonly NodeDirectory _nodes;
    private readonly DownloadEvents _events;
    private readonly SourceAttemptHistory _trials;
    private readonly LocalContents _localContents;
    private readonly FailedFiles _failed;
    private readonly DownloadLimits _limits;
    private readonly IOptions<DownloadOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger<DownloadEngine> _logger;
    private long _wakes;

    public DownloadEngine(
        ChunkStore store,
        DiskPressure disk,
        SourceRegistry sources,
        NodeDirectory nodes,
        DownloadEvents events,
        SourceAttemptHistory trials,
        LocalContents localContents,
        FailedFiles failed,
        DownloadLimits limits,
        IOptions<DownloadOptions> options,
        Random random,
        TimeProvider time,
        ILogger<DownloadEngine> logger
    )
    {
        _store = store;
        _disk = disk;
        _sources = sources;
        _nodes = nodes;
        _events = events;
        _trials = trials;
        _localContents = localContents;
        _failed = failed;
        _options = options;
        _time = time;
        _logger = logger;
        _began = time.GetTimestamp();
        _limits = limits;
        _planner = new DownloadPlanner(limits.Planner, random);
        _timer = time.CreateTimer(
            _ => Tell(PlannerEvent.Tick.Instance),
            null,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        limits.Changed += OnLimitsChanged;
    }

    /// <summary>Set when a source answers again that files wait for.</summary>
    public AsyncAutoResetEvent SourceAnswers { get; } = new();

    /// <summary>How often sources have come back that files waited for.</summary>
    public long Wakes => Interlocked.Read(ref _wakes);

    /// <summary>Brings the content of a claimed replica here, as far as its sources let it.</summary>
    public async Task<AttemptOutcome> RunAsync(
        ClaimedReplica claim,
        TransferProgress progress,
        CancellationToken cancellationToken
    )
    {
        if (await _localContents.IsProvenAsync(claim, progress, cancellationToken))
        {
            Publish(claim, DownloadEventKind.FoundLocally, bytesProven: claim.Size);
            return new AttemptOutcome.Found();
        }

        var hints = Learn(claim.Providers);
        if (hints.Count == 0)
        {
            return new AttemptOutcome.Parked(
                ParkKind.NoSource,
                ReplicaQueue.NoProvider,
                _limits.Planner.NoSourceWait,
                BytesProven: null,
                Wakes
            );
        }

        using var transfer = new DownloadAttempt(
            claim,
            progress,
            ChunkFrame.ChunkCount(claim.Size) > _limits.Planner.WindowChunks,
            _store,
            _disk,
            cancellationToken
        );
        try
        {
            return await RunAsync(transfer, hints, cancellationToken);
        }
        catch (NoRoomException full)
        {
            transfer.Close();
            return new AttemptOutcome.NoRoom(full.Message, transfer.BytesProven);
        }
        catch
        {
            transfer.Close();
            throw;
        }
    }

    /// <summary>Where the sources stand that this process has met; for one file in particular, where it is named.</summary>
    public IReadOnlyList<SourceStanding> Standings(FileKey? file = null)
    {
        lock (_gate)
        {
            return _planner.Standings(Now, file);
        }
    }

    /// <summary>Where a file under way is by now.</summary>
    public void Update(FileKey file, FileProviders providers)
    {
        var hints = Learn(providers);
        lock (_gate)
        {
            if (_active.ContainsKey(file))
            {
                Tell(new PlannerEvent.SourcesChanged(file, hints, providers.CompetingNodes));
            }
        }
    }

    public void Dispose()
    {
        _limits.Changed -= OnLimitsChanged;
        _stopped.Cancel();
        _timer.Dispose();
    }

    private async Task<AttemptOutcome> RunAsync(
        DownloadAttempt transfer,
        IReadOnlyList<SourceHint> hints,
        CancellationToken cancellationToken
    )
    {
        var claim = transfer.Claim;
        var chunks = ChunkFrame.ChunkCount(claim.Size);
        lock (_gate)
        {
            _active.Add(claim.Key, transfer);
            Tell(
                new PlannerEvent.FileWanted(
                    claim.Key,
                    chunks,
                    claim.Size,
                    Whole(chunks),
                    HashesProven: false,
                    hints,
                    claim.Providers.CompetingNodes,
                    _options.Value.Deadline is { } deadline ? Now + deadline : null
                )
            );
        }

        AttemptOutcome? outcome;
        try
        {
            outcome = await transfer.Ended.WaitAsync(cancellationToken);
        }
        finally
        {
            lock (_gate)
            {
                _active.Remove(claim.Key);
                if (!transfer.Ended.IsCompleted)
                {
                    Tell(new PlannerEvent.FileDropped(claim.Key));
                }
            }

            await transfer.StopAsync();
        }

        if (outcome is null)
        {
            return (transfer.Bytes, transfer.Partial) switch
            {
                ({ } bytes, _) => new AttemptOutcome.ProvenInMemory(bytes),
                (_, { } partial) when partial.IsProven || partial.ProveWhole() => new AttemptOutcome.Proven(partial),
                _ => throw new InvalidOperationException($"{claim.Key} was called complete, but is not proven."),
            };
        }

        transfer.Close();
        return outcome switch
        {
            AttemptOutcome.Parked parked => parked with { BytesProven = KeptBytesOf(transfer) },
            AttemptOutcome.Failed failed => failed with { BytesProven = KeptBytesOf(transfer) },
            _ => outcome,
        };
    }

    /// <summary>What is proven to be kept; null when nobody has looked.</summary>
    private static long? KeptBytesOf(DownloadAttempt transfer) => transfer.Partial is null ? null : transfer.BytesProven;

    private static List<ChunkRange> Whole(long chunks)
    {
        var ranges = new List<ChunkRange>(1);
        for (long first = 0; first < chunks; first += int.MaxValue)
        {
            ranges.Add(new ChunkRange(first, (int)Math.Min(int.MaxValue, chunks - first)));
        }

        return ranges;
    }

    private IReadOnlyList<SourceHint> Learn(FileProviders providers)
    {
        var hints = _sources.Upsert(providers.Nodes, out var readded);
        foreach (var source in readded)
        {
            Tell(new PlannerEvent.SourceReadded(source));
        }

        return hints;
    }

    private void OnLimitsChanged() => Tell(new PlannerEvent.LimitsChanged(_limits.Planner));

    private TimeSpan Now => _time.GetElapsedTime(_began);

    private void Publish(
        ClaimedReplica claim,
        DownloadEventKind kind,
        long bytesProven,
        SourceId? source = null,
        string? reason = null
    ) => _events.Publish(new DownloadEvent(claim.Key, kind, source?.Value, bytesProven, claim.Size, reason, Ranges: null));
}
