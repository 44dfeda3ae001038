using System.Diagnostics;

namespace FileTransfer.Hosting;

/// <summary>One line per request, when it has ended. Health is asked all day long and logged at Debug.</summary>
internal sealed partial class RequestLog(RequestDelegate next, ILogger<RequestLog> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var level = HealthRoutes.IsHealth(context.Request.Path) ? LogLevel.Debug : LogLevel.Information;
        if (!logger.IsEnabled(level))
        {
            await next(context);
            return;
        }

        var started = Stopwatch.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            // The path as it was escaped: what a client sends must not start a new line of the log.
            var path = context.Request.Path.ToUriComponent();
            var milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            var received = context.Request.ContentLength ?? 0;
            var end = context.RequestAborted.IsCancellationRequested ? ", cut off" : "";
            var (method, status) = (context.Request.Method, context.Response.StatusCode);
            if (context.Response.ContentLength is { } sent)
            {
                Log.Ended(logger, level, method, path, status, milliseconds, received, sent, end);
            }
            else
            {
                Log.EndedUnmeasured(logger, level, method, path, status, milliseconds, received, end);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            Message = "{Method} {Path} {Status} in {Milliseconds:0.0} ms, {BytesIn} bytes in, {BytesOut} bytes out{End}"
        )]
        public static partial void Ended(
            ILogger logger,
            LogLevel level,
            string method,
            string path,
            int status,
            double milliseconds,
            long bytesIn,
            long bytesOut,
            string end
        );

        /// <summary>The answer was streamed without a length told beforehand.</summary>
        [LoggerMessage(Message = "{Method} {Path} {Status} in {Milliseconds:0.0} ms, {BytesIn} bytes in{End}")]
        public static partial void EndedUnmeasured(
            ILogger logger,
            LogLevel level,
            string method,
            string path,
            int status,
            double milliseconds,
            long bytesIn,
            string end
        );
    }
}
