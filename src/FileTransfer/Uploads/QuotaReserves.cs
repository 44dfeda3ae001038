using FileTransfer.Catalog;
using FileTransfer.Chunks;

namespace FileTransfer.Uploads;

/// <summary>What uploads under way will take of their buckets' quotas, so that nobody sends a long body that is refused at its end.</summary>
/// <remarks>A courtesy of this node: what counts is the commit. A file that was registered is counted already.</remarks>
public sealed class QuotaReserves(BucketQuotas quotas, FileCatalog catalog)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ByteString, (decimal Bytes, long Files)> _reserved = [];

    /// <param name="file">What will come; its key may not be known yet.</param>
    /// <param name="bytes">How many will come; null where nobody says.</param>
    /// <returns>Null where the bucket's quota has no room for it; else what is given back once the upload has ended.</returns>
    public async Task<(IDisposable? Place, BucketQuota? Full)> ReserveAsync(
        FileMetadata file,
        long? bytes,
        CancellationToken cancellationToken
    )
    {
        // A small body is told at its end as soon, and most are small.
        if (bytes is null or <= ChunkStore.SmallUpTo)
        {
            return default;
        }

        var place = new Place(this, file.Bucket, bytes.Value);
        var (all, files) = Add(file.Bucket, bytes.Value, 1);

        // What may be here already, its first answer lost, is looked at when it has come.
        if (
            await quotas.FindAsync(file.Bucket, cancellationToken) is { } quota
            && !quota.HasRoomFor(all, files)
            && !await catalog.HasAtAsync(file, bytes.Value, cancellationToken)
        )
        {
            place.Dispose();
            return (null, quota);
        }

        return (place, null);
    }

    private (decimal Bytes, long Files) Add(ByteString bucket, decimal bytes, long files)
    {
        lock (_gate)
        {
            var before = _reserved.GetValueOrDefault(bucket);
            var now = (before.Bytes + bytes, before.Files + files);
            if (now == default)
            {
                _reserved.Remove(bucket);
            }
            else
            {
                _reserved[bucket] = now;
            }

            return now;
        }
    }

    private sealed class Place(QuotaReserves reserves, ByteString bucket, long bytes) : IDisposable
    {
        public void Dispose() => reserves.Add(bucket, -bytes, -1);
    }
}
