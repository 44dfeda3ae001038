using FileTransfer.Bandwidth;
using FileTransfer.Chunks;

namespace FileTransfer.Catalog.Repair;

/// <summary>
/// Proves every stored content once in a period, again and again, whether or not anybody reads it, and compares disk and catalog both ways; all of it at once
/// when a person asks. What is damaged goes the way of <see cref="DamagedContents"/>.
/// </summary>
/// <remarks>
/// Contents are proven in the order of their fingerprints, one at a time, and after each the pass rests as long as the period leaves. The
/// position is kept on disk: a restart goes on behind it.
/// </remarks>
public sealed partial class Scrub(
    ChunkStore store,
    StartupReconciler repair,
    ScrubProof proof,
    ScrubPasses passes,
    NodeId here,
    WorkerRegistry workers,
    IOptions<ScrubOptions> options,
    TimeProvider time,
    ILogger<Scrub> logger
) : BackgroundService
{
    /// <summary>A pass takes this part of the period, and the next one follows it: so none comes to a content too late.</summary>
    private const double PartOfPeriod = 0.9;

    private static readonly TimeSpan _longestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _afterFault = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _saveEvery = TimeSpan.FromSeconds(5);

    private readonly RateFlow _flow = new();
    private readonly Worker _worker = workers.Add("scrub", "verifies every stored content once in a period");

    /// <summary>When the pass began for which disk and catalog have been compared.</summary>
    private DateTimeOffset? _compared;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The start of a node has better things to do than this.
        await Task.Yield();
        try
        {
            await LoopAsync(stoppingToken);
        }
        finally
        {
            passes.Keep();
        }
    }

    private async Task LoopAsync(CancellationToken stoppingToken)
    {
        _worker.Progress = () =>
            passes.State.Now is { } pass ? $"{pass.Contents} contents verified, {pass.Bytes} of {pass.TotalBytes} bytes" : null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (passes.TryTake(out var pass, out var interrupted))
                {
                    using var ends = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, interrupted);
                    await _worker.RunAsync(() => RunAsync(pass, ends.Token), ends.Token);
                }
                else
                {
                    await passes.Changed.WaitAsync(_longestWait, time, stoppingToken);
                }
            }
            catch (OperationCanceledException)
            {
                // The node stops, or a person wants it otherwise.
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException || DatabaseReach.IsFailure(fault))
            {
                Log.Interrupted(logger, fault, here, _afterFault.TotalSeconds);
                Task pause = passes.Changed.WaitAsync(_afterFault, time, stoppingToken);
                await pause.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task RunAsync(ScrubPass pass, CancellationToken cancellationToken)
    {
        Log.Began(
            logger,
            here,
            pass.IsRequested ? "as asked" : $"within {options.Value.Period}",
            pass.Position ?? "the beginning"
        );
        await CompareAsync(pass, cancellationToken);

        if (pass.TotalBytes == 0)
        {
            pass = pass with
            {
                TotalBytes = await Task.Run(() => store.Contents().Sum(content => content.Size), cancellationToken),
            };
            passes.Report(pass, keeps: true, cancellationToken);
        }

        var savedAt = time.GetTimestamp();
        Fingerprint? after = Fingerprint.TryParse(pass.Position, out var position) ? position : null;
        foreach (var content in store.ContentsAfter(after))
        {
            await _worker.WaitAsync(cancellationToken);
            var before = pass;
            pass = await ProveAsync(pass, content, cancellationToken);
            var keeps = pass.Damaged > before.Damaged || time.GetElapsedTime(savedAt) >= _saveEvery;
            savedAt = keeps ? time.GetTimestamp() : savedAt;
            passes.Report(pass, keeps, cancellationToken);
            if (!pass.IsRequested)
            {
                await RestAsync(pass, cancellationToken);
            }
        }

        await CompareAsync(pass, cancellationToken);

        var ended = passes.End(pass, cancellationToken);
        Log.Ended(logger, here, ended.Contents, ended.Bytes, ended.Damaged, ended.Mended);
    }

    private async Task<ScrubPass> ProveAsync(ScrubPass pass, ContentInfo content, CancellationToken cancellationToken)
    {
        var finding = await proof.ProveAsync(content.Fingerprint, size: null, _flow, cancellationToken);
        return pass with
        {
            Position = content.Fingerprint.ToString(),
            Contents = pass.Contents + 1,
            Bytes = pass.Bytes + content.Size,
            Damaged = pass.Damaged + (finding is ContentFinding.Damaged ? 1 : 0),
            Mended = pass.Mended + (finding is ContentFinding.Intact { HashesMended: true } ? 1 : 0),
        };
    }

    /// <summary>Rests until the part of the pass's time is over that the bytes proven are of those held. Whoever is late does not rest.</summary>
    private async Task RestAsync(ScrubPass pass, CancellationToken cancellationToken)
    {
        var part = pass.Bytes >= pass.TotalBytes ? 1 : pass.Bytes / (double)pass.TotalBytes;
        var until = pass.StartedAt + (options.Value.Period * (PartOfPeriod * part));
        while (until - time.GetUtcNow() is { Ticks: > 0 } left)
        {
            await Task.Delay(left < _longestWait ? left : _longestWait, time, cancellationToken);
        }
    }

    /// <summary>What is stored and not on disk is wanted again, links are put back, and what is visible and not stored is hidden.</summary>
    private async Task CompareAsync(ScrubPass pass, CancellationToken cancellationToken)
    {
        if (_compared == pass.StartedAt || !repair.HasRun)
        {
            // Before the node has joined its cluster nobody knows whether the catalog is this folder's.
            return;
        }

        try
        {
            await repair.RunAsync(cancellationToken);
            _compared = pass.StartedAt;
        }
        catch (Exception away) when (DatabaseReach.IsFailure(away))
        {
            // The disk can be proven without the database; the comparison follows at the end of the pass.
            Log.NotCompared(logger, here, away.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1230, LogLevel.Information, "Scrub at {Node} started: all contents, {How}, after {Position}")]
        public static partial void Began(ILogger logger, NodeId node, string how, string position);

        [LoggerMessage(
            1231,
            LogLevel.Information,
            "Scrub at {Node} finished: {Contents} contents, {Bytes} bytes, {Damaged} damaged, {Mended} with chunk hashes repaired"
        )]
        public static partial void Ended(ILogger logger, NodeId node, long contents, long bytes, long damaged, long mended);

        [LoggerMessage(1232, LogLevel.Warning, "Scrub at {Node} could not compare disk and catalog yet: {Reason}")]
        public static partial void NotCompared(ILogger logger, NodeId node, string reason);

        [LoggerMessage(1233, LogLevel.Warning, "Scrub at {Node} was interrupted; resuming in {Seconds:0} s")]
        public static partial void Interrupted(ILogger logger, Exception fault, NodeId node, double seconds);
    }
}
