using System.IO.Pipelines;
using FileTransfer.Catalog;
using FileTransfer.Chunks;

namespace FileTransfer.Uploads;

/// <summary>Takes an upload in frames, in any order, into a partial of its own and publishes it when it is whole and proven.</summary>
/// <remarks>
/// Two uploads of one file do not wait for each other: each has a partial, and the first that is proven publishes. What an upload
/// that was cut off left behind is taken up by the next one, and overwritten where that one says otherwise.
/// </remarks>
public sealed class FramedUpload(ChunkStore store, UploadPublisher publisher, TimeProvider time)
{
    private long _lastEpoch;

    public async Task<UploadOutcome> ReceiveAsync(FileRecord file, PipeReader body, CancellationToken cancellationToken)
    {
        using var partial = store.OpenPartial(file.Key, NextEpoch(), file.Fingerprint, file.Size, keepsHashes: true);
        await partial.ReproveAsync(cancellationToken);
        if (await TakeAsync(partial, body, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        if (!partial.IsComplete)
        {
            partial.TryNextMissing(0, 1, out var missing, out _);
            return new UploadOutcome.Invalid(
                $"The body ends before all chunks have come: chunk {missing} is missing, {partial.BytesProven} of {partial.Size} bytes are kept. "
                    + "Send the missing chunks, or all again.",
                (ulong)missing
            );
        }

        if (!partial.ProveWhole())
        {
            // Nobody can tell which chunk is wrong, so none is worth keeping.
            partial.Discard();
            return new UploadOutcome.OtherContent();
        }

        return await publisher.PublishAsync(file, () => store.MakeDurable(partial), cancellationToken);
    }

    private static async Task<UploadOutcome?> TakeAsync(PartialFile partial, PipeReader body, CancellationToken cancellationToken)
    {
        using var frames = new FrameReader(body, partial.Size);
        while (true)
        {
            var read = await frames.ReadAsync(cancellationToken);
            switch (read.Kind)
            {
                case FrameReadKind.Run:
                    if (partial.Put(read.Run.FirstChunk, read.Run.Bytes.Span) is { Kind: not PutKind.Stored } put)
                    {
                        return new UploadOutcome.Invalid(
                            $"Chunk {put.ChunkId} came twice with different bytes. Send each chunk as it is in the file.",
                            (ulong)put.ChunkId
                        );
                    }

                    break;
                case FrameReadKind.Fault:
                    return new UploadOutcome.Invalid(read.Fault!.Reason, read.Fault.ChunkId);
                default:
                    return null;
            }
        }
    }

    /// <summary>Later uploads have higher epochs, also after a restart, and all of them higher ones than downloads have.</summary>
    private long NextEpoch()
    {
        while (true)
        {
            var last = Interlocked.Read(ref _lastEpoch);
            var next = Math.Max(last + 1, time.GetUtcNow().UtcTicks);
            if (Interlocked.CompareExchange(ref _lastEpoch, next, last) == last)
            {
                return next;
            }
        }
    }
}
