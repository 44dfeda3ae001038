using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Feed;

namespace FileTransfer.Uploads;

/// <param name="File">The stored file; null on a fault.</param>
/// <param name="IsNew">False when the file was stored already.</param>
/// <param name="Fault">What is wrong with the body, in words.</param>
public sealed record RawUploadResult(FileRecord? File, bool IsNew, string? Fault);

/// <summary>Takes a raw body of any length, computes its identity, registers it and publishes it.</summary>
public sealed class RawUpload(ChunkStore store, FileCatalog catalog, UploadPublisher publisher)
{
    /// <param name="described">What the content does not say itself.</param>
    public async Task<RawUploadResult> ReceiveAsync(FileMetadata described, PipeReader body, CancellationToken cancellationToken)
    {
        using var trace = UploadTraces.Receive();
        using var incoming = store.CreateIncoming();
        await TakeAsync(body, incoming, cancellationToken);
        var fingerprint = incoming.Complete();
        if (incoming.Size == 0)
        {
            return new RawUploadResult(null, false, "The body is empty; an empty file cannot be transferred.");
        }

        var metadata = described with { Size = (ulong)incoming.Size, Fingerprint = fingerprint };
        var upload = new ProvenUpload(
            metadata.ComputeKey(),
            metadata,
            incoming.Small,
            incoming.Small is null ? () => store.MakeDurable(incoming) : null
        );
        var published = await publisher.PublishAsync([upload], cancellationToken);
        if (published.TooMuch.Count > 0)
        {
            throw new QuotaExceededException(published.TooMuch);
        }

        // What was removed a moment after it was stored is told as it is by now.
        var file = await catalog.FindAsync(upload.Key, cancellationToken);
        return new RawUploadResult(file, published.Commits[upload.Key] == UploadCommit.Stored, null);
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
