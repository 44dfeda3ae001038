using BenchmarkDotNet.Attributes;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Benchmarks.Catalog;

/// <summary>
/// What the queue asks of a lane for one small file: the round trip that commits the file and claims the next. It costs the same however
/// long the queue is.
/// </summary>
[InvocationCount(Operations, unrollFactor: 1)]
[WarmupCount(10)]
[IterationCount(30)]
public class Claim
{
    /// <summary>Fewer than the shortest queue has.</summary>
    private const int Operations = 8;

    private QueueOfRows? _queue;
    private IReadOnlyList<ClaimedReplica>? _claims;

    [Params(10, 1_000, 100_000, 1_000_000)]
    public int Rows { get; set; }

    /// <summary>Whether a commit waits for the disk, as it does in use; without, the statements' own cost shows.</summary>
    [Params(true, false)]
    public bool WaitsForDisk { get; set; }

    [GlobalSetup]
    public void Fill() => _queue = QueueOfRows.CreateAsync(Rows, WaitsForDisk).GetAwaiter().GetResult();

    [GlobalCleanup]
    public void Remove() => _queue?.DisposeAsync().AsTask().GetAwaiter().GetResult();

    [IterationSetup]
    public void ClaimTheFirst() => ClaimTheFirstAsync().GetAwaiter().GetResult();

    [Benchmark]
    public async Task CommitAndClaimNext()
    {
        var (published, next) = await _queue!.Queue.PublishAsync(
            _queue.Session,
            _claims!,
            claimNext: ClaimLimit.One,
            CancellationToken.None
        );
        _claims =
            published.Count == 1 && next is ClaimOutcome.Claimed claimed
                ? claimed.Replicas
                : throw new InvalidOperationException();
    }

    private async Task ClaimTheFirstAsync()
    {
        await _queue!.UnlockAllAsync();
        await _queue.WantAgainAsync();
        var outcome = await _queue.Queue.ClaimAsync(_queue.Session, ClaimLimit.One, CancellationToken.None);
        _claims = ((ClaimOutcome.Claimed)outcome).Replicas;
    }
}
