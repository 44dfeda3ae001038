using FileTransfer.Bandwidth;
using FileTransfer.Chunks;

namespace FileTransfer.Catalog.Repair;

/// <summary>Proves one content, no faster than scrubs may read. What is damaged goes the way of <see cref="DamagedContents"/>.</summary>
public sealed class ScrubProof(ChunkStore store, DamagedContents damaged, IOptions<ScrubOptions> options, TimeProvider time)
    : IDisposable
{
    private readonly FairTokenBucket _gate = new(time) { Rate = new ByteRate(options.Value.BytesPerSecond) };

    /// <param name="content">The content.</param>
    /// <param name="size">What its file says, for the words of a finding; null where nobody knows.</param>
    /// <param name="flow">Shares the rate with the others fairly.</param>
    public async Task<ContentFinding> ProveAsync(
        Fingerprint content,
        long? size,
        RateFlow flow,
        CancellationToken cancellationToken
    )
    {
        var finding = await store.ProveAsync(
            content,
            size,
            always: true,
            proven: null,
            (bytes, token) => new ValueTask(TakeAsync(flow, bytes, token)),
            cancellationToken
        );

        // Proven once more before it is set aside: it may have been written to while it was read.
        return finding is ContentFinding.Damaged { Reason: var reason }
            ? await damaged.ExamineAsync(content, size, $"the scrub read it, and {reason}", cancellationToken)
            : finding;
    }

    public void Dispose() => _gate.Dispose();

    private async Task TakeAsync(RateFlow flow, int bytes, CancellationToken cancellationToken)
    {
        while (bytes > 0)
        {
            bytes -= await _gate.AcquireAsync(flow, bytes, cancellationToken);
        }
    }
}
