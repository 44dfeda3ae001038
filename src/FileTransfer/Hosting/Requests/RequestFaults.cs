using FileTransfer.Catalog;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cluster;
using Microsoft.AspNetCore.Connections;

namespace FileTransfer.Hosting.Requests;

/// <summary>Turns what a route throws into a problem: whose fault it is, and what to do next.</summary>
internal sealed partial class RequestFaults(
    RequestDelegate next,
    IHostApplicationLifetime lifetime,
    Database database,
    ILogger<RequestFaults> logger
)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && IsEndOfClient(e))
        {
            Log.ClientGone(logger, context.Request.Method, context.Request.Path.ToUriComponent());
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            }
        }
        catch (Exception e)
        {
            var problem = Explain(e, context);
            if (problem.StatusCode == StatusCodes.Status500InternalServerError)
            {
                Log.Failed(logger, e, context.Request.Method, context.Request.Path.ToUriComponent(), context.TraceIdentifier);
            }
            else
            {
                var type = problem.ProblemDetails.Type!;
                Log.Refused(logger, context.Request.Method, context.Request.Path.ToUriComponent(), type, e.Message);
            }

            if (context.Response.HasStarted)
            {
                if (context.Features.Get<FinalLine>() is { } last)
                {
                    await last.WriteAsync(problem.ProblemDetails);
                    return;
                }

                // Half an answer must not look like a whole one.
                context.Abort();
                return;
            }

            context.Response.Clear();
            await problem.ExecuteAsync(context);
        }
    }

    private ProblemHttpResult Explain(Exception fault, HttpContext context) =>
        fault switch
        {
            BadHttpRequestException e => ExplainBadRequest(e, context),
            QuotaExceededException e => e.TooMuch.Values.First().Refusal(),
            NotLeadingException => Problem.Of(
                ProblemTypes.NoLeader,
                "This node stopped leading while the request ran; nothing was changed. Send the request again."
            ),
            CommitUnconfirmedException => Problem.Of(
                ProblemTypes.CommitUnconfirmed,
                "The change is committed at the PostgreSQL server, but none of its synchronous standbys has confirmed it in time, so a failover could still lose it. "
                    + "Send the same request again in 5 seconds: it succeeds as soon as a standby has the change."
            ),
            DatabaseLockedException e => Locked(e.Holder),
            PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } => Locked(null),
            NpgsqlException e when ConnectionShortage.ReasonOf(e) is { } shortage => Problem.Of(
                ProblemTypes.DatabaseUnavailable,
                $"This node has no free connection to its PostgreSQL database: {shortage}. Send the request again in 5 seconds; an operator should "
                    + "raise the limit, or lower FileTransfer:Downloads:Lanes."
            ),
            PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } => TooSlow(),
            NpgsqlException { InnerException: TimeoutException { Message: "Timeout during reading attempt" } }
                when database.Reach.Outage is null => TooSlow(),
            // Until the database is ready it may lack what every statement needs, down to itself.
            _ when Chain(fault).Any(e => DatabaseReach.IsAway(e) || (e is NpgsqlException && !database.IsReady)) => Problem.Of(
                ProblemTypes.DatabaseUnavailable,
                "This node cannot reach its PostgreSQL database now; contents that are stored here can still be read. Send the request again in 5 seconds."
            ),
            PostgresException { IsTransient: true } e => Problem.Of(
                ProblemTypes.DatabaseUnavailable,
                $"The PostgreSQL database could not do it now: {DatabaseReach.CauseOf(e)}. Send the request again in 5 seconds; "
                    + "if it keeps failing, an operator should read the database's log."
            ),
            _ when Chain(fault).Any(IsDiskFull) => Problem.Of(
                ProblemTypes.DiskFull,
                $"This node's data folder is full ({fault.Message.TrimEnd('.')}); free some space on its disk, then send the request again."
            ),
            _ when Chain(fault).FirstOrDefault(DiskFault.IsFailingDisk) is { } failing => Problem.Of(
                ProblemTypes.DiskFailed,
                $"This node's disk failed: {DiskFault.Describe(failing)}. Ask another node, or send the request again once it is repaired."
            ),
            OperationCanceledException when lifetime.ApplicationStopping.IsCancellationRequested => Problem.Of(
                ProblemTypes.Draining,
                "This node is stopping and ended the request; send it to another node, or again later."
            ),
            _ => Problem.Of(
                ProblemTypes.InternalFault,
                $"The request failed; the reason is in this node's log under trace id {context.TraceIdentifier}. Send it again; if it keeps failing, report it with that log.",
                ("traceId", context.TraceIdentifier)
            ),
        };

    private static ProblemHttpResult ExplainBadRequest(BadHttpRequestException fault, HttpContext context) =>
        fault.StatusCode switch
        {
            StatusCodes.Status408RequestTimeout => Problem.Of(
                ProblemTypes.RequestTimeout,
                $"{fault.Message} Send the body without long pauses."
            ),
            StatusCodes.Status413PayloadTooLarge => Problem.Of(
                ProblemTypes.RequestTooLarge,
                $"{fault.Message} Send a smaller body."
            ),
            StatusCodes.Status415UnsupportedMediaType => Problem.Of(
                ProblemTypes.MediaTypeUnsupported,
                "The body's Content-Type is not one this route takes; send 'Content-Type: application/json'."
            ),
            _ when MalformedValue(context) is { } malformed => malformed,
            _ when fault.InnerException is JsonException json => Problem.Of(ProblemTypes.BadRequest, ExplainJson(json)),
            _ => Problem.Of(ProblemTypes.BadRequest, $"{fault.Message} The parameters of every route are described at /swagger."),
        };

    /// <summary>Which value of the route could not be read; null where all could.</summary>
    private static ProblemHttpResult? MalformedValue(HttpContext context) =>
        context
            .Request.RouteValues.Select(value =>
                (value.Key, value.Value as string) switch
                {
                    ("key" or "file_key", { } text) when !FileKey.TryParse(text, out _) => FileProblems.Malformed(text),
                    ("bucket", { } text) when !BucketId.TryParse(text, out _) => Problem.Of(
                        ProblemTypes.BadRequest,
                        $"'{Problem.Quote(text)}' is not a bucket; write 1 to {FileMetadata.MaxIdLength} bytes as hex digits, with or without 0x."
                    ),
                    _ => null,
                }
            )
            .FirstOrDefault(problem => problem is not null);

    private static ProblemHttpResult TooSlow() =>
        Problem.Of(
            ProblemTypes.DatabaseSlow,
            "The PostgreSQL database did not answer a statement of this request within the connection string's Command Timeout, and the statement was ended. "
                + "Ask for less, or send the request again in 5 seconds; an operator should look what the database is busy with."
        );

    private static ProblemHttpResult Locked(LockHolder? holder)
    {
        var who = holder is null
            ? "another session of the PostgreSQL database"
            : $"backend {holder.Pid} of the PostgreSQL database"
                + $"{(string.IsNullOrEmpty(holder.ApplicationName) ? "" : $" ('{holder.ApplicationName}')")}"
                + $"{(holder.State is { } state ? $", which is {state}" : "")}"
                + $"{(holder.Since is { } since ? $" and whose transaction began at {since:u}" : "")}";
        return Problem.Of(
            ProblemTypes.DatabaseLocked,
            $"What the request changes is locked by {who}, and was not released within {LockWaits.Timeout}; nothing was changed. "
                + "End that transaction, or wait for its end, and send the request again in 5 seconds.",
            ("pid", holder?.Pid),
            ("applicationName", holder?.ApplicationName),
            ("since", holder?.Since),
            ("queryStart", holder?.QueryStart)
        );
    }

    private static string ExplainJson(JsonException fault)
    {
        var where = fault.Path is { Length: > 0 } path ? $"{path}, " : "";
        return $"The body is not the JSON this route expects: error at {where}line {fault.LineNumber.GetValueOrDefault() + 1}, "
            + $"column {fault.BytePositionInLine.GetValueOrDefault() + 1}. What it takes is described at /swagger.";
    }

    private static bool IsDiskFull(Exception fault) => fault is IOException && DiskFullException.IsDiskFull(fault.HResult);

    private static bool IsEndOfClient(Exception fault) =>
        fault
            is OperationCanceledException
                or ConnectionAbortedException
                or ConnectionResetException
                or BadHttpRequestException
                or IOException;

    private static IEnumerable<Exception> Chain(Exception fault)
    {
        for (Exception? e = fault; e is not null; e = e.InnerException)
        {
            yield return e;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1940, LogLevel.Debug, "{Method} {Path}: the client disconnected")]
        public static partial void ClientGone(ILogger logger, string method, string path);

        [LoggerMessage(1941, LogLevel.Debug, "{Method} {Path} refused as {Problem}: {Reason}")]
        public static partial void Refused(ILogger logger, string method, string path, string problem, string reason);

        [LoggerMessage(1942, LogLevel.Error, "{Method} {Path} failed, trace id {TraceId}")]
        public static partial void Failed(ILogger logger, Exception exception, string method, string path, string traceId);
    }
}
