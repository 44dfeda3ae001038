using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Downloads.Sources;
using Microsoft.Extensions.Options;

namespace FileTransfer.Downloads;

/// <summary>What one try to bring a content here came to.</summary>
public abstract record AttemptOutcome
{
    private AttemptOutcome() { }

    /// <summary>The content is proven: in the partial, or in the store already when there is no partial.</summary>
    public sealed record Proven(PartialFile? Partial) : AttemptOutcome;

    /// <summary>No other node has the file.</summary>
    public sealed record NoSource : AttemptOutcome;

    /// <summary>Every node that has the file rests, because it did not answer when it was last asked. Says nothing against the file.</summary>
    public sealed record SourcesRest(string Reason, long? BytesProven, TimeSpan Delay) : AttemptOutcome;

    /// <summary>There is no room for what is missing; what was proven is kept.</summary>
    public sealed record NoRoom(string Reason, long BytesProven) : AttemptOutcome;

    /// <summary>Every source failed; what was proven is kept.</summary>
    public sealed record Failed(string Reason, long BytesProven) : AttemptOutcome;
}

/// <summary>One try to bring the content of one claimed replica here, from the nodes that have it.</summary>
/// <remarks>
/// A content of at most one window comes whole in one request and is proven at its end. A larger one is proven chunk by chunk: its chunk
/// hashes come first and are proven against the fingerprint; then windows are asked for, the next while the last is read.
/// </remarks>
public sealed class DownloadAttempt(
    ChunkStore store,
    DiskPressure disk,
    NodeHttp http,
    SourceRests rests,
    IOptions<DownloadOptions> options,
    TimeProvider time
)
{
    private int WindowChunks => options.Value.WindowBytes / ChunkFrame.ChunkLength;

    public async Task<AttemptOutcome> RunAsync(
        ClaimedReplica claim,
        DownloadProgress progress,
        CancellationToken cancellationToken
    )
    {
        if (store.Contains(claim.Fingerprint, claim.Size))
        {
            return new AttemptOutcome.Proven(null);
        }

        if (claim.Holdings.Count == 0)
        {
            return new AttemptOutcome.NoSource();
        }

        if (claim.Holdings.All(holding => rests.Of(holding.Node) is not null))
        {
            return Rest(claim, bytesProven: null);
        }

        var partial = store.OpenPartial(claim.Key, claim.Epoch, claim.Fingerprint, claim.Size);
        try
        {
            progress.Follow(partial);
            if (partial.ChunkCount > WindowChunks)
            {
                await partial.ReproveAsync(cancellationToken);
            }

            // What an earlier attempt left here has its room already.
            if (disk.RefusalOf(partial.Size - progress.BytesProven) is { } refusal)
            {
                var kept = progress.BytesProven;
                Close(partial);
                return new AttemptOutcome.NoRoom(refusal, kept);
            }

            var faults = new List<string>();
            var resting = new List<SourceRest>();
            var isAway = true;
            foreach (var holding in claim.Holdings)
            {
                if (rests.Enter(holding.Node, 2 * options.Value.StallPeriod) is { } rest)
                {
                    resting.Add(rest);
                    continue;
                }

                try
                {
                    var source = new NodeSource(http.Client, holding, claim.Key, options.Value, time);
                    await FetchAsync(source, partial, cancellationToken);
                    return new AttemptOutcome.Proven(partial);
                }
                catch (SourceException fault)
                {
                    faults.Add(fault.Message);
                    isAway &= fault.Kind == SourceFaultKind.Unreachable;
                    if (fault.Kind is SourceFaultKind.Unreachable or SourceFaultKind.Stalled)
                    {
                        rests.Failed(holding.Node, fault.Message);
                    }
                    else
                    {
                        rests.Answered(holding.Node);
                    }
                }
            }

            var proven = progress.BytesProven;
            Close(partial);
            return isAway
                ? Rest(claim, proven)
                : new AttemptOutcome.Failed(string.Join("; ", faults.Concat(resting.Select(rest => rest.Reason))), proven);
        }
        catch
        {
            Close(partial);
            throw;
        }
    }

    private AttemptOutcome.SourcesRest Rest(ClaimedReplica claim, long? bytesProven)
    {
        var resting = claim.Holdings.Select(holding => rests.Of(holding.Node)).OfType<SourceRest>().ToList();
        var soonest = resting.Select(rest => rest.Left).DefaultIfEmpty(TimeSpan.Zero).Min();
        return new AttemptOutcome.SourcesRest(
            $"{string.Join("; ", resting.Select(rest => rest.Reason))}; asked again in {soonest.TotalSeconds:0.0} s",
            bytesProven,
            soonest
        );
    }

    private async Task FetchAsync(NodeSource source, PartialFile partial, CancellationToken cancellationToken)
    {
        if (partial.ChunkCount <= WindowChunks)
        {
            await FetchWholeAsync(source, partial, cancellationToken);
        }
        else
        {
            await FetchWindowsAsync(source, partial, cancellationToken);
        }

        if (!partial.ProveWhole())
        {
            throw source.OtherContent();
        }
    }

    private async Task FetchWholeAsync(NodeSource source, PartialFile partial, CancellationToken cancellationToken)
    {
        // Without proven hashes a chunk left by another source cannot be told from a right one: begin anew.
        partial.Forget();
        using var request = source.Request(new ChunkRange(0, (int)partial.ChunkCount), partial.Size, cancellationToken);
        await source.ReceiveAsync(request, partial, cancellationToken);
        rests.Answered(source.Node);
    }

    private async Task FetchWindowsAsync(NodeSource source, PartialFile partial, CancellationToken cancellationToken)
    {
        if (!partial.HashesProven)
        {
            await source.FetchHashesAsync(partial, cancellationToken);
            partial.KeepHashes();
            await partial.ReproveAsync(cancellationToken);
        }

        var next = Ask(source, partial, from: 0, cancellationToken);
        try
        {
            while (next is { } current)
            {
                next = Ask(source, partial, current.Window.First + current.Window.Count, cancellationToken);
                using (current)
                {
                    await source.ReceiveAsync(current, partial, cancellationToken);
                    rests.Answered(source.Node);
                }
            }
        }
        finally
        {
            next?.Dispose();
        }
    }

    private WindowRequest? Ask(NodeSource source, PartialFile partial, long from, CancellationToken cancellationToken) =>
        partial.TryNextMissing(from, WindowChunks, out var first, out var count)
            ? source.Request(new ChunkRange(first, count), partial.Size, cancellationToken)
            : null;

    /// <summary>Keeps what is proven, or can be once its hashes are here, and leaves nothing else behind.</summary>
    private void Close(PartialFile partial)
    {
        if (partial.ChunkCount > WindowChunks)
        {
            partial.Dispose();
        }
        else
        {
            partial.Discard();
        }
    }
}

/// <summary>How far a download is; read by the lane while the attempt runs.</summary>
public sealed class DownloadProgress
{
    private PartialFile? _partial;

    public long BytesProven => _partial is { HashesProven: true } partial ? partial.BytesProven : 0;

    public void Follow(PartialFile partial) => _partial = partial;
}
