using System.Diagnostics.Metrics;

namespace FileTransfer.Hosting.Requests;

/// <summary>What requests have moved, when they have ended. How many there are, and how long they take, the framework measures.</summary>
internal static class RequestMetrics
{
    private static readonly Meter _meter = new("FileTransfer.Requests");

    private static readonly Counter<long> _received = _meter.CreateCounter<long>(
        "filetransfer.http.received",
        "By",
        "Bytes of the bodies of requests, by who sent them"
    );

    private static readonly Counter<long> _sent = _meter.CreateCounter<long>(
        "filetransfer.http.sent",
        "By",
        "Bytes of the bodies of answers, by who got them"
    );

    private static readonly KeyValuePair<string, object?> _node = new("peer", "node");
    private static readonly KeyValuePair<string, object?> _client = new("peer", "client");

    public static void Begin()
    {
        foreach (var peer in (ReadOnlySpan<KeyValuePair<string, object?>>)[_node, _client])
        {
            _received.Add(0, peer);
            _sent.Add(0, peer);
        }
    }

    /// <summary>A request has ended.</summary>
    public static void Count(HttpContext context, TransferMeter meter)
    {
        var peer = NodeHeader.Of(context) is null ? _client : _node;
        _received.Add(meter.BytesReceived, peer);
        _sent.Add(HttpMethods.IsHead(context.Request.Method) ? 0 : meter.BytesSent, peer);
    }
}
