using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using FileTransfer.Bandwidth;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Contracts;
using FileTransfer.Http;
using FileTransfer.Identity;
using Microsoft.Net.Http.Headers;

namespace FileTransfer.Serving;

/// <summary>Writes a part of something, <c>[offset, offset + count)</c>, and returns once it was handed over.</summary>
public delegate ValueTask RangeWriter<in T>(
    T from,
    PipeWriter output,
    long offset,
    long count,
    CancellationToken cancellationToken
);

/// <summary>One answer on its way through the <see cref="EgressBandwidth"/>: at the rate in force, shared evenly with other readers, in its turn.</summary>
public sealed class ThrottledResponse : IDisposable
{
    /// <summary>Bytes between two looks at the limit while there is none: a limit that is set counts for what is under way too.</summary>
    private const int UnlimitedSlice = 4 * FramedContent.PieceLength;

    /// <summary>Bytes taken from the limit at once: few enough for many readers to have their share within a moment.</summary>
    private const int LimitedSlice = 127 * ChunkFrame.Length;

    /// <summary>A part up to this is given to anyone: that is how a node finds out who answers.</summary>
    private const int FreePart = 64 * 1024;

    private readonly EgressBandwidth _uplink;
    private readonly HttpContext _context;
    private readonly NodeId? _turnOf;
    private readonly Fingerprint _content;
    private string? _reader;
    private RateFlow? _flow;

    private ThrottledResponse(EgressBandwidth uplink, HttpContext context, NodeId? turnOf, Fingerprint content)
    {
        _uplink = uplink;
        _context = context;
        _turnOf = turnOf;
        _content = content;
    }

    /// <summary>An answer that needs no turn.</summary>
    public static ThrottledResponse Begin(EgressBandwidth uplink, HttpContext context) => new(uplink, context, null, default);

    /// <summary>An answer that needs a turn where a node asks for much of a large content; null while it is another's turn.</summary>
    public static ThrottledResponse? TryBegin(
        EgressBandwidth uplink,
        HttpContext context,
        StoredContent content,
        EntityTagHeaderValue etag,
        long length
    ) =>
        !NeedsTurn(context, content, etag, length) || NodeHeader.Of(context) is not { } node ? Begin(uplink, context)
        : uplink.Admission.TryAcquire(node, content.Fingerprint, uplink.Now)
            ? new ThrottledResponse(uplink, context, node, content.Fingerprint)
        : null;

    /// <summary>Writes a part in slices, each when the limit allows.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync<T>(
        RangeWriter<T> write,
        T from,
        PipeWriter output,
        long offset,
        long count,
        CancellationToken cancellationToken
    )
    {
        while (count > 0)
        {
            var slice = (int)Math.Min(count, UnlimitedSlice);
            if (_uplink.Gate.IsLimited)
            {
                _flow ??= _uplink.Join(_reader ??= ReaderOf(_context));
                slice = Math.Min(slice, LimitedSlice);
                slice = await _uplink.Gate.AcquireAsync(_flow, slice, cancellationToken);
            }

            await write(from, output, offset, slice, cancellationToken);
            Account(slice);
            offset += slice;
            count -= slice;
        }
    }

    public void Dispose()
    {
        if (_turnOf is not null)
        {
            _uplink.Admission.Release(_turnOf, _content, _uplink.Now);
        }

        if (_flow is not null)
        {
            _uplink.Part(_reader!);
        }
    }

    private void Account(int bytes)
    {
        if (_turnOf is null)
        {
            _uplink.Admission.Sent(bytes, _uplink.Now);
        }
        else
        {
            _uplink.Admission.Sent(_turnOf, _content, bytes, _uplink.Now);
        }
    }

    private static bool NeedsTurn(HttpContext context, StoredContent content, EntityTagHeaderValue etag, long length)
    {
        var request = context.Request;
        if (content.Size <= ContentAdmission.FreeUpToBytes || !HttpMethods.IsGet(request.Method))
        {
            return false;
        }

        var (status, range) = ConditionalRequest.Evaluate(request.Method, request.Headers, etag, length);
        return status is StatusCodes.Status200OK or StatusCodes.Status206PartialContent && range.Count > FreePart;
    }

    private static string ReaderOf(HttpContext context) =>
        NodeHeader.Of(context)?.Value ?? context.Connection.RemoteIpAddress?.ToString() ?? "";
}
