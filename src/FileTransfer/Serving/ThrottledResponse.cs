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
    private readonly HttpContext? _context;
    private readonly ContentPermit? _permit;
    private string? _reader;
    private RateFlow? _flow;
    private readonly bool _hasAll;
    private long _left;

    private ThrottledResponse(EgressBandwidth egress, HttpContext? context, ContentPermit? permit, bool hasAll, long count)
    {
        _hasAll = hasAll;
        _egress = egress;
        _context = context;
        _permit = permit;
        _left = count;
    }

    public static ThrottledResponse Begin(EgressBandwidth egress, HttpContext context) =>
        new(egress, context, null, hasAll: true, 0);

    /// <summary>Something that is sent unasked.</summary>
    /// <param name="reader">Who is sent to.</param>
    public static ThrottledResponse Begin(EgressBandwidth egress, string reader) =>
        new(egress, null, null, hasAll: true, 0) { _reader = reader };

    /// <summary>An answer that needs a permit where a node asks for much of a large content; null while others are sent that part.</summary>
    /// <param name="bodyLength">Bytes of the whole content, or of its hashes, in the form that is sent.</param>
    public static ThrottledResponse? TryBegin(
        EgressBandwidth egress,
        HttpContext context,
        OpenContent content,
        long bodyLength,
        ConditionalAnswer answer
    )
    {
        if (!NeedsPermit(context, content, answer) || NodeHeader.Of(context) is null)
        {
            return Begin(egress, context);
        }

        var (offset, count) = (answer.Range.Offset, answer.Range.Count);
        var part =
            bodyLength < content.Size
                ? ContentPart.OfHashes(isEnd: offset + count == bodyLength)
                : ContentPart.OfContent(offset, count, bodyLength, content.Size);
        return egress.Admission.TryAcquire(NodeHeader.ReaderOf(context), content.Fingerprint, part, egress.Now) is { } permit
            ? new ThrottledResponse(egress, context, permit, hasAll: content.Arriving is null, count)
            : null;
    }

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
                _flow ??= _egress.Join(_reader ??= NodeHeader.ReaderOf(_context!));
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
        if (_permit is not null)
        {
            _egress.Admission.Release(_permit, isPassedOn: _left == 0 && _hasAll, _egress.Now);
        }

        if (_flow is not null)
        {
            _egress.Part(_reader!);
        }
    }

    private void Account(int bytes)
    {
        _left -= bytes;
        _egress.Admission.Sent(_permit, bytes, _egress.Now);
    }

    private static bool NeedsPermit(HttpContext context, OpenContent content, ConditionalAnswer answer) =>
        content.Size > ContentAdmission.FreeUpToBytes
        && HttpMethods.IsGet(context.Request.Method)
        && answer is { StatusCode: StatusCodes.Status200OK or StatusCodes.Status206PartialContent, Range.Count: > FreePart };
}
