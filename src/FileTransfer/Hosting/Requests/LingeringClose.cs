using Microsoft.AspNetCore.Http.Features;

namespace FileTransfer.Hosting.Requests;

/// <summary>
/// Reads and drops what is left of a body that was answered early. Many clients write all before they read: closed at once, the
/// connection would be reset under them, and the answer lost.
/// </summary>
/// <remarks>
/// As long as the body comes at the floor rate, ten minutes at most, for so many requests at once. When all of it came, the connection
/// serves the next request. Who waits for leave to send (<c>Expect: 100-continue</c>) never sends, and is not waited for.
/// </remarks>
internal sealed partial class LingeringClose(
    RequestDelegate next,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<LingeringClose> logger
)
{
    /// <summary>Bodies that are dropped at once, at most; beyond, the server's own five seconds must do.</summary>
    private const int MostAtOnce = 64;

    private const int FloorBytesPerSecond = 16 * 1024;

    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(10);

    private int _running;

    public async Task InvokeAsync(HttpContext context)
    {
        await next(context);
        if (TransferMeter.Of(context) is not { IsBodyRead: false } meter || !IsWorthIt(context, meter))
        {
            return;
        }

        try
        {
            if (Interlocked.Increment(ref _running) <= MostAtOnce)
            {
                await context.Response.CompleteAsync();
                await DropAsync(context, meter);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>Over HTTP/2 and 3 the stream alone is ended, and the answer stays. Who was ended for sending nothing is not waited for.</summary>
    private static bool IsWorthIt(HttpContext context, TransferMeter meter) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true
        && HttpProtocol.IsHttp11(context.Request.Protocol)
        && !context.RequestAborted.IsCancellationRequested
        && context.Response.StatusCode != StatusCodes.Status408RequestTimeout
        && !(context.Request.Headers.Expect.Count > 0 && meter.BytesReceived == 0);

    private async Task DropAsync(HttpContext context, TransferMeter meter)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        var before = meter.BytesReceived;
        var (began, end) = (time.GetTimestamp(), "all of it came");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(
            lifetime.ApplicationStopping,
            context.RequestAborted
        );
        // Fires unless it is put off, period by period.
        using var floor = time.CreateTimer(_ => patience.Cancel(), null, _period, Timeout.InfiniteTimeSpan);
        var receivedThen = before;
        try
        {
            var body = context.Request.BodyReader;
            while (true)
            {
                var read = await body.ReadAsync(patience.Token);
                body.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }

                if (time.GetElapsedTime(began) >= _longest)
                {
                    end = "it took too long";
                    break;
                }

                if (meter.BytesReceived - receivedThen >= FloorBytesPerSecond * _period.TotalSeconds)
                {
                    receivedThen = meter.BytesReceived;
                    floor.Change(_period, Timeout.InfiniteTimeSpan);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // BadHttpRequestException is an IOException. The answer is on its way; there is nobody to tell.
            end = e.Message;
        }

        Log.Dropped(
            logger,
            context.Request.Method,
            context.Request.Path.ToUriComponent(),
            meter.BytesReceived - before,
            time.GetElapsedTime(began).TotalSeconds,
            end
        );
    }

    private static partial class Log
    {
        [LoggerMessage(
            1920,
            LogLevel.Debug,
            "{Method} {Path}: discarded {Bytes} bytes that arrived after the response, over {Seconds:0.0} s: {End}"
        )]
        public static partial void Dropped(ILogger logger, string method, string path, long bytes, double seconds, string end);
    }
}
