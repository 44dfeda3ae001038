namespace FileTransfer.Hosting;

/// <summary>Gives memory back to the system: what the C library's allocator has left over, and when a busy spell is over, the free parts of the heap.</summary>
/// <remarks>
/// The compiler of hot methods works in memory of the C library, which keeps what was freed of it. The runtime gives back what is free when it
/// collects, and a node at rest hardly collects: one full collection takes some 20 ms, and happens when nothing else does. The start of a node is
/// its first busy spell.
/// </remarks>
internal sealed partial class IdleMemory(TimeProvider time, ILogger<IdleMemory> logger) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _betweenCollections = TimeSpan.FromSeconds(30);

    /// <summary>Bytes in a period: a node at rest allocates a quarter of them.</summary>
    private const long AllocatedAtRest = 2 << 20;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_period, time);
        var (allocated, isDue, collectedAt) = (0L, true, (long?)null);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var before = allocated;
            allocated = GC.GetTotalAllocatedBytes();
            if (allocated - before > AllocatedAtRest)
            {
                isDue = true;
                Allocator.Trim();
            }
            else if (isDue && (collectedAt is not { } at || time.GetElapsedTime(at) >= _betweenCollections))
            {
                (isDue, collectedAt) = (false, time.GetTimestamp());
                GiveBack();
            }
        }
    }

    private void GiveBack()
    {
        var before = Environment.WorkingSet;
        var began = time.GetTimestamp();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Allocator.Trim();
        var gave = Math.Max(0, before - Environment.WorkingSet);
        Log.GaveBack(logger, gave >> 20, time.GetElapsedTime(began).TotalMilliseconds);
    }

    private static partial class Log
    {
        [LoggerMessage(1903, LogLevel.Debug, "Gave {MiB} MiB back to the system in {Milliseconds:0} ms")]
        public static partial void GaveBack(ILogger logger, long miB, double milliseconds);
    }
}
