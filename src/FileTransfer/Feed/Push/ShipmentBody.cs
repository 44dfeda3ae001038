using FileTransfer.Chunks;
using FileTransfer.Feed.Upstreams;
using FileTransfer.Serving;

namespace FileTransfer.Feed.Push;

/// <summary>
/// Takes a shipment apart: <c>u32 LE length ‖ <see cref="Shipment"/> as JSON</c>, then for each Add of its page, in order, what a delivery
/// has for a file: <c>i64 LE size ‖ bytes</c>.
/// </summary>
internal static class ShipmentBody
{
    public const string MediaType = "application/vnd.filetransfer.shipment";

    /// <summary>Of the JSON: a page of metadata with long locations.</summary>
    public const int LongestHeader = 8 * 1024 * 1024;

    /// <summary>Bytes of all contents of a shipment: it is in memory until it is durable.</summary>
    public const long MostBytes = ContentBatch.LargestContent;

    /// <exception cref="UpstreamFaultException">It is no shipment.</exception>
    public static async Task<Shipment> ReadHeaderAsync(Stream body, CancellationToken cancellationToken)
    {
        var number = new byte[sizeof(uint)];
        await ReadAsync(body, number, cancellationToken);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(number);
        if (length > LongestHeader)
        {
            throw new UpstreamFaultException($"its description has {length} bytes; {LongestHeader} are the most");
        }

        using var owner = MemoryPool<byte>.Shared.Rent((int)length);
        var json = owner.Memory[..(int)length];
        await ReadAsync(body, json, cancellationToken);
        try
        {
            return JsonSerializer.Deserialize(json.Span, WireJson.Default.Shipment)
                ?? throw new UpstreamFaultException("its description is null");
        }
        catch (JsonException e)
        {
            throw new UpstreamFaultException($"its description is malformed: {e.Message}");
        }
    }

    /// <summary>The contents that came with the Adds of a page, each proven, those of the newest mutations.</summary>
    /// <exception cref="UpstreamFaultException">One is not what its file says, or they are more than a shipment may have.</exception>
    public static async Task ReadContentsAsync(
        Stream body,
        FeedPage page,
        ICollection<ShippedContent> contents,
        CancellationToken cancellationToken
    )
    {
        var newest = page.NewestOfEach().ToHashSet();
        var number = new byte[ContentBatch.HeaderLength];
        long total = 0;
        foreach (var add in page.Mutations.Where(mutation => mutation.Kind == MutationKind.Add))
        {
            await ReadAsync(body, number, cancellationToken);
            var size = BinaryPrimitives.ReadInt64LittleEndian(number);
            if (size == ContentBatch.NotDelivered)
            {
                continue;
            }

            var metadata = add.Details!.Metadata!;
            if (size != (long)metadata.Size || (total += size) > MostBytes || !newest.Contains(add))
            {
                throw new UpstreamFaultException($"the content of {add.Key} does not belong into it");
            }

            contents.Add(
                new ShippedContent(add.Key, metadata, await ReadContentAsync(body, add.Key, metadata, cancellationToken))
            );
        }

        if (await body.ReadAsync(number, cancellationToken) > 0)
        {
            throw new UpstreamFaultException("something follows its last content");
        }
    }

    private static async Task<ProvenBytes> ReadContentAsync(
        Stream body,
        FileKey key,
        FileMetadata metadata,
        CancellationToken cancellationToken
    )
    {
        var owner = MemoryPool<byte>.Shared.Rent((int)metadata.Size);
        ProvenBytes? proven = null;
        try
        {
            var bytes = owner.Memory[..(int)metadata.Size];
            await ReadAsync(body, bytes, cancellationToken);
            return proven =
                ProvenBytes.TryProve(metadata.Fingerprint, bytes, owner)
                ?? throw new UpstreamFaultException($"the content of {key} has another fingerprint");
        }
        finally
        {
            if (proven is null)
            {
                owner.Dispose();
            }
        }
    }

    private static async Task ReadAsync(Stream body, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            await body.ReadExactlyAsync(destination, cancellationToken);
        }
        catch (EndOfStreamException)
        {
            throw new UpstreamFaultException("it ends before its end");
        }
    }
}
