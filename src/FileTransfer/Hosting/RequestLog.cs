using System.Diagnostics;
using FileTransfer.Http;

namespace FileTransfer.Hosting;

/// <summary>One line per request, when it has ended, with what its bodies really moved. Health is asked all day long and logged at Debug.</summary>
internal sealed partial class RequestLog(RequestDelegate next, ILogger<RequestLog> logger)
{
    /// <summary>In place of a client without an address, and of a token that was not shown.</summary>
    private const string Nobody = "-";

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
            var client = context.Connection.RemoteIpAddress?.ToString() ?? Nobody;
            var token = context.User.Identity is { IsAuthenticated: true, Name: { } name } ? name : Nobody;
            var meter = TransferMeter.Of(context);
            Log.Ended(
                logger,
                level,
                client,
                token,
                context.Request.Method,
                path,
                context.Response.StatusCode,
                milliseconds,
                meter?.BytesReceived ?? 0,
                // What a HEAD would have been answered with goes nowhere.
                HttpMethods.IsHead(context.Request.Method)
                    ? 0
                    : meter?.BytesSent ?? 0,
                context.RequestAborted.IsCancellationRequested ? ", cut off" : ""
            );
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            Message = "{Client} {Token} {Method} {Path} {Status} in {Milliseconds:0.0} ms, {BytesIn} bytes in, {BytesOut} bytes out{End}"
        )]
        public static partial void Ended(
            ILogger logger,
            LogLevel level,
            string client,
            string token,
            string method,
            string path,
            int status,
            double milliseconds,
            long bytesIn,
            long bytesOut,
            string end
        );
    }
}
