using Microsoft.AspNetCore.Http.Features;

namespace FileTransfer.Http;

/// <summary>What one request moves: the bytes of its body and of its answer's, and since when it waits for the other side.</summary>
/// <remarks>
/// It stands between the server and everything else, as the answer's writer and the body's reader. Bytes count as sent when the server
/// has them, as received when they were handed on.
/// </remarks>
public sealed class TransferMeter : PipeWriter, IHttpResponseBodyFeature, IRequestBodyPipeFeature
{
    private const long NotWaiting = -1;

    private readonly IHttpResponseBodyFeature _answer;
    private readonly IRequestBodyPipeFeature _body;
    private readonly PipeWriter _writer;
    private readonly TimeProvider _time;
    private MeteredReader? _reader;
    private Stream? _stream;
    private long _sent;
    private long _received;
    private long _readerAwaitedSince = NotWaiting;
    private long _senderAwaitedSince = NotWaiting;
    private volatile Exception? _end;

    private TransferMeter(IHttpResponseBodyFeature answer, IRequestBodyPipeFeature body, TimeProvider time) =>
        (_answer, _body, _writer, _time) = (answer, body, answer.Writer, time);

    public long BytesSent => Volatile.Read(ref _sent);

    public long BytesReceived => Volatile.Read(ref _received);

    public bool IsBodyRead { get; private set; }

    /// <summary>For how long the answer has been waiting for its reader to take what was written; zero when it does not.</summary>
    public TimeSpan ReaderAwaited => Since(ref _readerAwaitedSince);

    /// <summary>For how long somebody has been waiting for the next byte of the body; zero when nobody does.</summary>
    public TimeSpan SenderAwaited => Since(ref _senderAwaitedSince);

    public Stream Stream => _stream ??= AsStream(leaveOpen: true);

    public PipeWriter Writer => this;

    public PipeReader Reader => _reader ??= new MeteredReader(this, _body.Reader);

    public override bool CanGetUnflushedBytes => _writer.CanGetUnflushedBytes;

    public override long UnflushedBytes => _writer.UnflushedBytes;

    /// <summary>Puts a meter on a request that begins.</summary>
    public static TransferMeter Attach(HttpContext context, TimeProvider time)
    {
        var features = context.Features;
        var meter = new TransferMeter(
            features.GetRequiredFeature<IHttpResponseBodyFeature>(),
            features.GetRequiredFeature<IRequestBodyPipeFeature>(),
            time
        );
        features.Set<IHttpResponseBodyFeature>(meter);
        features.Set<IRequestBodyPipeFeature>(meter);
        return meter;
    }

    /// <summary>The meter of a request; null where none was attached.</summary>
    public static TransferMeter? Of(HttpContext context) => context.Features.Get<IHttpResponseBodyFeature>() as TransferMeter;

    /// <summary>Whoever waits for the body gets <paramref name="reason"/> thrown now, whoever asks for more of it later on.</summary>
    public void EndBody(Exception reason)
    {
        _end = reason;
        _reader?.CancelPendingRead();
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _writer.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _writer.GetSpan(sizeHint);

    public override void Advance(int bytes)
    {
        _writer.Advance(bytes);
        _sent += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var flushed = _writer.FlushAsync(cancellationToken);
        return flushed.IsCompleted ? flushed : AwaitReaderAsync(flushed);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        _sent += source.Length;
        var written = _writer.WriteAsync(source, cancellationToken);
        return written.IsCompleted ? written : AwaitReaderAsync(written);
    }

    public override void CancelPendingFlush() => _writer.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => _writer.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => _writer.CompleteAsync(exception);

    public Task CompleteAsync() => _answer.CompleteAsync();

    public void DisableBuffering() => _answer.DisableBuffering();

    public Task StartAsync(CancellationToken cancellationToken = default) => _answer.StartAsync(cancellationToken);

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> AwaitReaderAsync(ValueTask<FlushResult> flushed)
    {
        Volatile.Write(ref _readerAwaitedSince, _time.GetTimestamp());
        try
        {
            return await flushed;
        }
        finally
        {
            Volatile.Write(ref _readerAwaitedSince, NotWaiting);
        }
    }

    private TimeSpan Since(ref long timestamp) =>
        Volatile.Read(ref timestamp) is var since and not NotWaiting ? _time.GetElapsedTime(since) : TimeSpan.Zero;

    private sealed class MeteredReader(TransferMeter meter, PipeReader body) : PipeReader
    {
        private System.Buffers.ReadOnlySequence<byte> _buffer;
        private long _consumed;

        public override bool TryRead(out ReadResult result)
        {
            if (!body.TryRead(out result))
            {
                return false;
            }

            result = Look(result);
            return true;
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            ThrowIfEnded();
            var read = body.ReadAsync(cancellationToken);
            return read.IsCompletedSuccessfully ? ValueTask.FromResult(Look(read.Result)) : AwaitSenderAsync(read);
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            _consumed += _buffer.Slice(0, consumed).Length;
            _buffer = default;
            body.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => body.CancelPendingRead();

        public override void Complete(Exception? exception = null) => body.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => body.CompleteAsync(exception);

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<ReadResult> AwaitSenderAsync(ValueTask<ReadResult> read)
        {
            Volatile.Write(ref meter._senderAwaitedSince, meter._time.GetTimestamp());
            try
            {
                return Look(await read);
            }
            finally
            {
                Volatile.Write(ref meter._senderAwaitedSince, NotWaiting);
            }
        }

        private ReadResult Look(ReadResult result)
        {
            if (result.IsCanceled)
            {
                ThrowIfEnded();
            }

            _buffer = result.Buffer;
            Volatile.Write(ref meter._received, Math.Max(meter._received, _consumed + result.Buffer.Length));
            meter.IsBodyRead |= result.IsCompleted;
            return result;
        }

        private void ThrowIfEnded()
        {
            if (meter._end is { } reason)
            {
                throw reason;
            }
        }
    }
}
