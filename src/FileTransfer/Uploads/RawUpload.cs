using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Contracts;
using FileTransfer.Feed;

namespace FileTransfer.Uploads;

public sealed record RawUploadTarget(ByteString Owner, ByteString Bucket, ByteString Location)
{
    public static (RawUploadTarget? Target, MetadataFault? Fault) Read(
        string owner,
        string bucket,
        string? location,
        string? locationHex
    )
    {
        if (!ByteString.TryParseHex(owner, out var ownerId))
        {
            return (null, FileRegistration.HexFault("owner", owner));
        }

        if (!ByteString.TryParseHex(bucket, out var bucketId))
        {
            return (null, FileRegistration.HexFault("bucket", bucket));
        }

        if (FileRegistration.ReadLocation(location, locationHex, out var where) is { } locationFault)
        {
            return (null, locationFault);
        }

        var target = new RawUploadTarget(ownerId, bucketId, where);
        return target.WithContent(1, default).Fault() is { } fault ? (null, MetadataFault.Invalid(fault)) : (target, null);
    }

    public FileMetadata WithContent(long size, Fingerprint fingerprint) => new(Owner, Bucket, Location, (ulong)size, fingerprint);
}

/// <param name="File">The stored file; null on a fault.</param>
/// <param name="IsNew">False when the file was stored already.</param>
/// <param name="Fault">What is wrong with the body, in words.</param>
public sealed record RawUploadResult(FileRecord? File, bool IsNew, string? Fault);

/// <summary>Takes a raw body of any length, computes its identity, registers it and publishes it.</summary>
public sealed class RawUpload(ChunkStore store, FileCatalog catalog, UploadPublisher publisher)
{
    public async Task<RawUploadResult> ReceiveAsync(RawUploadTarget target, PipeReader body, CancellationToken cancellationToken)
    {
        using var incoming = store.CreateIncoming();
        await TakeAsync(body, incoming, cancellationToken);
        var fingerprint = incoming.Complete();
        if (incoming.Size == 0)
        {
            return new RawUploadResult(null, false, "The body is empty; an empty file cannot be transferred.");
        }

        var metadata = target.WithContent(incoming.Size, fingerprint);
        var upload = new ProvenUpload(
            metadata.ComputeKey(),
            metadata,
            incoming.Small,
            incoming.Small is null ? () => store.MakeDurable(incoming) : null
        );
        var commits = await publisher.PublishAsync([upload], cancellationToken);

        // What was removed a moment after it was stored is told as it is by now.
        var file = await catalog.FindAsync(upload.Key, cancellationToken);
        return new RawUploadResult(file, commits[upload.Key] == UploadCommit.Stored, null);
    }

    private static async Task TakeAsync(PipeReader body, IncomingFile incoming, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            foreach (var piece in read.Buffer)
            {
                incoming.Append(piece.Span);
            }

            body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }
}
