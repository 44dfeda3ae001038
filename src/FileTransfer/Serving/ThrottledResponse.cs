using FileTransfer.Bandwidth;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;

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

    private readonly EgressBandwidth _egress;
    private readonly HttpContext _context;
    private readonly NodeId? _permitOf;
    private readonly Fingerprint _content;
    private string? _reader;
    private RateFlow? _flow;

    private ThrottledResponse(EgressBandwidth egress, HttpContext context, NodeId? permitOf, Fingerprint content)
    {
        _egress = egress;
        _context = context;
        _permitOf = permitOf;
        _content = content;
    }

    public static ThrottledResponse Begin(EgressBandwidth egress, HttpContext context) => new(egress, context, null, default);

    /// <summary>An answer that needs a turn where a node asks for much of a large content; null while it is another's turn.</summary>
    public static ThrottledResponse? TryBegin(
        EgressBandwidth egress,
        HttpContext context,
        OpenContent content,
        ConditionalAnswer answer
    ) =>
        !NeedsPermit(context, content, answer) || NodeHeader.Of(context) is not { } node ? Begin(egress, context)
        : egress.Admission.TryAcquire(node, content.Fingerprint, egress.Now)
            ? new ThrottledResponse(egress, context, node, content.Fingerprint)
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
            if (_egress.Gate.IsLimited)
            {
                _flow ??= _egress.Join(_reader ??= ReaderOf(_context));
                slice = Math.Min(slice, LimitedSlice);
                slice = await _egress.Gate.AcquireAsync(_flow, slice, cancellationToken);
            }

            await write(from, output, offset, slice, cancellationToken);
            Account(slice);
            offset += slice;
            count -= slice;
        }
    }

    public void Dispose()
    {
        if (_permitOf is not null)
        {
            _egress.Admission.Release(_permitOf, _content, _egress.Now);
        }

        if (_flow is not null)
        {
            _egress.Part(_reader!);
        }
    }

    private void Account(int bytes)
    {
        if (_permitOf is null)
        {
            _egress.Admission.Sent(bytes, _egress.Now);
        }
        else
        {
            _egress.Admission.Sent(_permitOf, _content, bytes, _egress.Now);
        }
    }

    private static bool NeedsPermit(HttpContext context, OpenContent content, ConditionalAnswer answer) =>
        content.Size > ContentAdmission.FreeUpToBytes
        && HttpMethods.IsGet(context.Request.Method)
        && answer is { StatusCode: StatusCodes.Status200OK or StatusCodes.Status206PartialContent, Range.Count: > FreePart };

    private static string ReaderOf(HttpContext context) =>
        NodeHeader.Of(context)?.Value ?? context.Connection.RemoteIpAddress?.ToString() ?? "";
}
