using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads;

/// <summary>A claimed replica in the hands of a lane: its transfer, and what ends it.</summary>
internal sealed class LaneJob(ClaimedReplica claim, CancellationToken stopping, CancellationToken lost) : IAsyncDisposable
{
    private IDisposable? _entry;
    private bool _disposed;

    public ClaimedReplica Claim => claim;

    public TransferProgress Progress { get; } = new();

    /// <summary>Ends the transfer: by a stop, by the loss of the session, or because the claim has ended.</summary>
    public CancellationTokenSource Abort { get; } = CancellationTokenSource.CreateLinkedTokenSource(stopping, lost);

    /// <summary>The transfer.</summary>
    public Task<AttemptOutcome> Running { get; private set; } = Task.FromException<AttemptOutcome>(NotStarted);

    /// <summary>What came of the transfer, once it has ended well.</summary>
    public AttemptOutcome Outcome => Running.Result;

    private static InvalidOperationException NotStarted => new("The transfer has not been started.");

    public void Start(ActiveDownloads active, DownloadEngine transfers) => Running = RunAsync(active, transfers);

    /// <summary>Ends the transfer when it still runs, and lets go of what it holds.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (!Running.IsCompleted)
        {
            await Abort.CancelAsync();
            await ((Task)Running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        switch (Running.IsCompletedSuccessfully ? Running.Result : null)
        {
            case AttemptOutcome.Proven { Partial: var partial }:
                partial.Dispose();
                break;
            case AttemptOutcome.ProvenInMemory { Bytes: var bytes }:
                bytes.Dispose();
                break;
        }

        _entry?.Dispose();
        Abort.Dispose();
    }

    private async Task<AttemptOutcome> RunAsync(ActiveDownloads active, DownloadEngine transfers)
    {
        _entry = await active.EnterAsync(claim.Key, Abort);
        return await transfers.RunAsync(claim, Progress, Abort.Token);
    }
}
