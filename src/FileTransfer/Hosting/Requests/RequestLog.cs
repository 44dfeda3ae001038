using Serilog;
using Serilog.Events;

namespace FileTransfer.Hosting.Requests;

/// <summary>One line per request, when it has ended, with what its bodies really moved.</summary>
/// <remarks>At Debug: health, which is asked all day long, and what an open page reads again and again to be true.</remarks>
internal static class RequestLog
{
    private const string Template =
        "{Client} {Token} {Method} {Path} {Status} in {Milliseconds:0.0} ms, {BytesIn} bytes in, {BytesOut} bytes out{End}";

    /// <summary>In place of a client without an address, and of a token that was not shown.</summary>
    private const string Nobody = "-";

    public static void UseRequestLog(this WebApplication app) =>
        app.UseSerilogRequestLogging(options =>
        {
            options.Logger = app.Services.GetRequiredService<Serilog.ILogger>();
            options.MessageTemplate = Template;
            options.GetLevel = (context, _, _) => LevelOf(context);
            options.GetMessageTemplateProperties = (context, _, milliseconds, _) => Describe(context, milliseconds);
        });

    /// <summary>Whether the connection ended before the answer did. A reader that knows its length may close right after its last byte.</summary>
    internal static bool IsCutOff(HttpContext context) =>
        context.RequestAborted.IsCancellationRequested
        && !(context.Response.ContentLength is { } length && TransferMeter.Of(context)?.BytesSent >= length);

    internal static LogEventLevel LevelOf(HttpContext context) =>
        HealthPaths.Contain(context.Request.Path) || IsOfPage(context) ? LogEventLevel.Debug : LogEventLevel.Information;

    /// <summary>Whether the page asked what it shows, and got it. Nobody reads a content unseen so.</summary>
    private static bool IsOfPage(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method)
        && context.Request.Headers.ContainsKey(PageHeader.Name)
        && context.Response.StatusCode < StatusCodes.Status400BadRequest
        && context.GetEndpoint()?.Metadata.GetMetadata<OctetAnswer>() is null;

    private static LogEventProperty[] Describe(HttpContext context, double milliseconds)
    {
        var meter = TransferMeter.Of(context);
        return
        [
            Property("Client", context.Connection.RemoteIpAddress?.ToString() ?? Nobody),
            Property("Token", context.User.Identity is { IsAuthenticated: true, Name: { } name } ? name : Nobody),
            Property("Method", context.Request.Method),
            // The path as it was escaped: what a client sends must not start a new line of the log.
            Property("Path", context.Request.Path.ToUriComponent()),
            Property("Status", context.Response.StatusCode),
            Property("Milliseconds", milliseconds),
            Property("BytesIn", meter?.BytesReceived ?? 0),
            // What a HEAD would have been answered with goes nowhere.
            Property("BytesOut", HttpMethods.IsHead(context.Request.Method) ? 0 : meter?.BytesSent ?? 0),
            Property("End", IsCutOff(context) ? ", cut off" : ""),
            // As on every other line of the request.
            Property("RequestId", context.TraceIdentifier),
            Property("ConnectionId", context.Connection.Id),
        ];
    }

    private static LogEventProperty Property(string name, object value) => new(name, new ScalarValue(value));
}
