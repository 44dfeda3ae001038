using System.Diagnostics;

namespace FileTransfer.Chunks.Small;

/// <summary>Moves small contents of a folder of an earlier version into the database while the node runs, in groups and for half of the time.</summary>
/// <remarks>A content is in both places until its file is deleted, after the commit; a move that was interrupted goes on at the next start.</remarks>
public sealed partial class SmallContentMover(ChunkStore store, TimeProvider time, ILogger<SmallContentMover> logger)
    : BackgroundService
{
    private const int GroupSize = 32;
    private static readonly TimeSpan _afterFault = TimeSpan.FromMinutes(1);

    /// <summary>Links wait until the folder knows the files of before, for which the node has to join its cluster.</summary>
    private static readonly TimeSpan _betweenLooks = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (!store.IsMoved)
        {
            try
            {
                await MoveAllAsync(stoppingToken);
                while (!store.TryRemoveLinks())
                {
                    await Task.Delay(_betweenLooks, time, stoppingToken);
                }

                await store.DeclareMovedAsync();
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                Log.NotMoved(logger, fault.Message);
                await Task.Delay(_afterFault, time, stoppingToken);
            }
        }
    }

    private async Task MoveAllAsync(CancellationToken stoppingToken)
    {
        var moved = 0;
        foreach (var group in store.SmallFiles().Select(content => content.Fingerprint).Chunk(GroupSize))
        {
            var began = Stopwatch.GetTimestamp();
            moved += await store.MoveAsync(group, stoppingToken);
            await Task.Delay(Stopwatch.GetElapsedTime(began), time, stoppingToken);
        }

        if (moved > 0)
        {
            Log.Moved(logger, moved);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1123, LogLevel.Information, "Moved {Count} small contents from files into small.db")]
        public static partial void Moved(ILogger logger, int count);

        [LoggerMessage(1124, LogLevel.Warning, "Could not move small contents into small.db; trying again: {Reason}")]
        public static partial void NotMoved(ILogger logger, string reason);
    }
}
