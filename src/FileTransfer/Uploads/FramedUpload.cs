using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Uploads;

/// <summary>Takes an upload in frames, in any order, into a partial of its own and publishes it when it is whole and proven.</summary>
/// <remarks>
/// Two uploads of one file do not wait for each other: each has a partial, and the first that is proven publishes. What an upload
/// that was cut off left behind is taken up by the next one, and overwritten where that one says otherwise; one that has fallen silent is
/// ended for the next one's sake (<see cref="RunningUploads"/>). It is kept only as long as the file waits for its content here.
/// </remarks>
public sealed class FramedUpload(
    ChunkStore store,
    FileCatalog catalog,
    UploadPublisher publisher,
    RunningUploads uploads,
    NodeId here,
    TimeProvider time
)
{
    private const int LookAfter = 16 * 1024 * 1024;

    private long _lastEpoch;

    /// <param name="meter">Tells for how long the body has been waited for; null where nobody measures.</param>
    public async Task<UploadOutcome> ReceiveAsync(
        FileRecord file,
        PipeReader body,
        TransferMeter? meter,
        CancellationToken cancellationToken
    )
    {
        using var trace = UploadTraces.Receive();
        await uploads.TakeOverAsync(file.Key, cancellationToken);
        using var running = uploads.Begin(file.Key, meter);
        var partial = store.OpenPartial(file.Key, NextEpoch(), file.Fingerprint, file.Size, keepsHashes: true);
        var isStored = false;
        try
        {
            var outcome = await ReceiveAsync(file, partial, body, cancellationToken);
            isStored = outcome is UploadOutcome.Stored;
            return outcome;
        }
        finally
        {
            partial.Dispose();
            if (!isStored)
            {
                await DropUnneededAsync(file.Key);
            }
        }
    }

    private async Task<UploadOutcome> ReceiveAsync(
        FileRecord file,
        PartialFile partial,
        PipeReader body,
        CancellationToken cancellationToken
    )
    {
        await partial.RevalidateFromDiskAsync(cancellationToken);
        if (await TakeAsync(partial, body, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        if (partial.TryNextMissing(0, 1, out var missing, out _))
        {
            return new UploadOutcome.Invalid(
                $"The body ends before all chunks have come: chunk {missing} is missing. {Kept(partial)}",
                (ulong)missing
            );
        }

        if (!partial.ProveWhole())
        {
            // Nobody can tell which chunk is wrong, so none is worth keeping.
            partial.Discard();
            return new UploadOutcome.OtherContent();
        }

        var commit = await publisher.PublishAsync(file, partial.ReadSmall(), () => store.MakeDurable(partial), cancellationToken);
        partial.Discard();
        return UploadOutcome.Of(commit);
    }

    private async Task<UploadOutcome?> TakeAsync(PartialFile partial, PipeReader body, CancellationToken cancellationToken)
    {
        using var frames = new FrameReader(body, partial.Size);
        for (var look = partial.BytesProven + LookAfter; ; )
        {
            // There was room when it began; others write, too.
            if (partial.BytesProven >= look)
            {
                store.RequireFloor();
                look += LookAfter;
            }

            var read = await frames.ReadAsync(cancellationToken);
            switch (read.Kind)
            {
                case FrameReadKind.Run:
                    if (partial.Put(read.Run.FirstChunk, read.Run.Bytes.Span) is { Kind: not PutKind.Stored } put)
                    {
                        var wrong = put.Kind == PutKind.Conflict ? "came twice with different bytes" : "is not the file's";
                        return new UploadOutcome.Invalid($"Chunk {put.ChunkId} {wrong}. {Kept(partial)}", (ulong)put.ChunkId);
                    }

                    break;
                case FrameReadKind.Fault:
                    return Refuse(read.Fault!, partial);
                default:
                    return null;
            }
        }
    }

    private static UploadOutcome.Invalid Refuse(FrameFault fault, PartialFile partial)
    {
        if (fault.ChunkId is null && partial.TryNextMissing(0, 1, out var missing, out _))
        {
            return new UploadOutcome.Invalid($"{fault.Reason} Chunk {missing} is missing. {Kept(partial)}", (ulong)missing);
        }

        return new UploadOutcome.Invalid($"{fault.Reason} {Kept(partial)}", fault.ChunkId);
    }

    private static string Kept(PartialFile partial) =>
        $"{partial.BytesProven} of {partial.Size} bytes are kept: send the missing chunks, or all again.";

    /// <summary>Asked after the partial is closed: whoever stored or removed the file has dropped those closed before.</summary>
    private async Task DropUnneededAsync(FileKey key)
    {
        try
        {
            // Asked also when the client is gone, so its going away does not cancel it.
            if (
                await catalog.FindAsync(key, here, CancellationToken.None)
                is null
                    or { File.State: FileState.Removed }
                    or { StateHere: ReplicaState.Stored }
            )
            {
                store.DiscardPartials(key);
            }
        }
        catch (Exception e) when (DatabaseReach.IsFailure(e))
        {
            // The database is away; what is left is found when it is back.
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
