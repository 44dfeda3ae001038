using System.Net.Http.Headers;

namespace FileTransfer.Feed.Push;

/// <summary>A shipment on its way out: <see cref="ShipmentBody"/> has its format. No more of it is in memory than a few small contents.</summary>
internal sealed class ShipmentContent : HttpContent
{
    private readonly byte[] _header;
    private readonly Func<Stream, CancellationToken, Task> _writeContents;

    public ShipmentContent(Shipment shipment, Func<Stream, CancellationToken, Task> writeContents)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(shipment, WireJson.Default.Shipment);
        _header = new byte[sizeof(uint) + json.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(_header, (uint)json.Length);
        json.CopyTo(_header, sizeof(uint));
        _writeContents = writeContents;
        Headers.ContentType = new MediaTypeHeaderValue(ShipmentBody.MediaType);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    )
    {
        await stream.WriteAsync(_header, cancellationToken);
        await _writeContents(stream, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
