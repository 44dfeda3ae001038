using System.Diagnostics;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace FileTransfer.Hosting.Requests;

/// <summary>Gives a problem to what the server rejects before any middleware runs: a bad, too long or late request head.</summary>
/// <remarks>
/// The server offers no place for it: it tells of the rejection as a diagnostic event, and writes a bare status to the connection then,
/// which is replaced on its way. Under TLS the connection carries other bytes than these, and the bare status stays.
/// </remarks>
internal sealed class RejectedRequests(IOptions<JsonOptions> json, TimeProvider time) : IObserver<KeyValuePair<string, object?>>
{
    private const string Event = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    public IDisposable Follow(DiagnosticListener server) => server.Subscribe(this, static name => name == Event);

    public static Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var output = new RejectionWriter(connection.Transport.Output);
        connection.Features.Set(output);
        connection.Transport = new Pipes(connection.Transport.Input, output);
        return next(connection);
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (
            value.Value is IFeatureCollection request
            && request.Get<IBadRequestExceptionFeature>()?.Error is BadHttpRequestException fault
            && request.Get<IHttpResponseFeature>() is { HasStarted: false }
            && request.Get<ITlsHandshakeFeature>() is null
        )
        {
            request.Get<RejectionWriter>()?.Replace(AnswerTo(fault));
        }
    }

    public void OnCompleted() { }

    public void OnError(Exception error) { }

    private byte[] AnswerTo(BadHttpRequestException fault)
    {
        var (type, advice) = Explain(fault.StatusCode);
        // The server keeps the octets at fault to itself, and leaves empty quotes where they were.
        var what = fault.Message.Replace(": ''", "", StringComparison.Ordinal).TrimEnd('.');
        var problem = Problem.Details(type, $"{what}. {advice}");
        problem.Status = fault.StatusCode;
        var body = JsonSerializer.SerializeToUtf8Bytes(
            problem,
            json.Value.SerializerOptions.GetTypeInfo(typeof(Microsoft.AspNetCore.Mvc.ProblemDetails))
        );
        var date = time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
        var head =
            $"HTTP/1.1 {fault.StatusCode} {ReasonPhrases.GetReasonPhrase(fault.StatusCode)}\r\nContent-Type: {Problem.ContentType}\r\n"
            + $"Content-Length: {body.Length}\r\nCache-Control: no-store\r\nConnection: close\r\nDate: {date}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    private static (ProblemType Type, string Advice) Explain(int status) =>
        status switch
        {
            StatusCodes.Status408RequestTimeout => (ProblemTypes.RequestTimeout, "Send the request without long pauses."),
            StatusCodes.Status413PayloadTooLarge => (ProblemTypes.RequestTooLarge, "Send a smaller body."),
            StatusCodes.Status414UriTooLong => (ProblemTypes.UriTooLong, "Send a request line of 64 KiB at most."),
            StatusCodes.Status431RequestHeaderFieldsTooLarge => (
                ProblemTypes.HeadersTooLarge,
                "Send at most 64 header fields, 32 KiB in total."
            ),
            StatusCodes.Status505HttpVersionNotsupported => (ProblemTypes.VersionUnsupported, "Send the request as HTTP/1.1."),
            _ => (ProblemTypes.BadRequest, "Send a well-formed HTTP/1.1 request (RFC 9112)."),
        };

    private sealed class Pipes(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }

    /// <summary>The connection's output; after a rejection what is written is dropped, and the answer sent in its place.</summary>
    private sealed class RejectionWriter(PipeWriter output) : PipeWriter
    {
        private byte[]? _answer;
        private byte[] _dropped = [];
        private bool _isAnswered;

        public override bool CanGetUnflushedBytes => output.CanGetUnflushedBytes;

        public override long UnflushedBytes => output.UnflushedBytes;

        public void Replace(byte[] answer) => _answer ??= answer;

        public override Memory<byte> GetMemory(int sizeHint = 0) =>
            _answer is null ? output.GetMemory(sizeHint) : Dropped(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) =>
            _answer is null ? output.GetSpan(sizeHint) : Dropped(sizeHint).Span;

        public override void Advance(int bytes)
        {
            if (_answer is null)
            {
                output.Advance(bytes);
            }
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            if (_answer is null || _isAnswered)
            {
                return output.FlushAsync(cancellationToken);
            }

            _isAnswered = true;
            return output.WriteAsync(_answer, cancellationToken);
        }

        public override ValueTask<FlushResult> WriteAsync(
            ReadOnlyMemory<byte> source,
            CancellationToken cancellationToken = default
        ) => _answer is null ? output.WriteAsync(source, cancellationToken) : FlushAsync(cancellationToken);

        public override void CancelPendingFlush() => output.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => output.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => output.CompleteAsync(exception);

        private Memory<byte> Dropped(int sizeHint) =>
            _dropped.Length >= Math.Max(sizeHint, 1) ? _dropped : _dropped = new byte[Math.Max(sizeHint, 4096)];
    }
}
