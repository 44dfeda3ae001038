using FileTransfer.Hosting.Configuration;
using Microsoft.AspNetCore.Connections.Features;

namespace FileTransfer.Hosting.Requests;

/// <summary>
/// Ends the requests that wait for somebody who is not there any more: a body of which no byte comes, an answer that nobody takes.
/// A reader that pauses is there; see <see cref="Serving.ServingLimits"/>.
/// </summary>
/// <remarks>
/// A pause costs what was written and not taken, so the number of pauses is bounded. While the node stops, nobody is waited for who
/// stands still.
/// </remarks>
internal sealed partial class TransferWatch(
    IHostApplicationLifetime lifetime,
    IOptions<ServerOptions> options,
    TimeProvider time,
    ILogger<TransferWatch> logger
) : BackgroundService
{
    /// <summary>A reader that takes longer for what was written pauses.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(5);

    /// <summary>How long the other side's system may leave packets unanswered before it counts as gone.</summary>
    private static readonly TimeSpan _gone = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan _patienceOfStopping = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan _betweenLooks = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly HashSet<WatchedTransfer> _running = [];
    private readonly List<WatchedTransfer> _paused = [];

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var transfer = new WatchedTransfer(context, TransferMeter.Attach(context, time), time.GetUtcNow());
        lock (_lock)
        {
            _running.Add(transfer);
        }

        try
        {
            await next(context);
        }
        finally
        {
            RequestMetrics.Count(context, transfer.Meter);
            // Under the lock: nobody ends a request whose context serves another by then.
            lock (_lock)
            {
                _running.Remove(transfer);
            }
        }
    }

    /// <summary>The requests that bring octets now, the oldest first.</summary>
    public IReadOnlyList<UploadResource> Uploads()
    {
        lock (_lock)
        {
            return
            [
                .. _running
                    .Where(transfer => transfer.Context.GetEndpoint()?.Metadata.GetMetadata<OctetBody>() is not null)
                    .OrderBy(transfer => transfer.Since)
                    .Select(transfer => transfer.Describe()),
            ];
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_betweenLooks, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Look();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private void Look()
    {
        var isStopping = lifetime.ApplicationStopping.IsCancellationRequested;
        lock (_lock)
        {
            foreach (var transfer in _running)
            {
                LookAtSender(transfer, isStopping);
                LookAtReader(transfer, isStopping);
            }

            EndLongestPauses();
            _paused.Clear();
        }
    }

    private void LookAtSender(WatchedTransfer transfer, bool isStopping)
    {
        var limit = options.Value.Uploads.IdleTimeout;
        var awaited = transfer.Meter.SenderAwaited;
        if (isStopping && awaited >= _patienceOfStopping)
        {
            transfer.Meter.EndBody(new OperationCanceledException("The node stops, and no byte of the body came."));
        }
        else if (awaited >= limit)
        {
            Log.SenderSilent(logger, transfer.Name, transfer.Meter.BytesReceived, awaited);
            transfer.Meter.EndBody(
                new BadHttpRequestException(
                    $"No bytes of the body arrived for {awaited.TotalSeconds:0} s (FileTransfer:Uploads:IdleTimeout).",
                    StatusCodes.Status408RequestTimeout
                )
            );
        }
    }

    private void LookAtReader(WatchedTransfer transfer, bool isStopping)
    {
        var awaited = transfer.Meter.ReaderAwaited;
        if (transfer.IsEnded || awaited < (isStopping ? _patienceOfStopping : _pause))
        {
            transfer.StandsSince = null;
            return;
        }

        var progress = TcpProgress.Of(transfer.Socket);
        var taken = progress?.BytesAcknowledged ?? transfer.Meter.BytesSent;
        var now = time.GetTimestamp();
        if (transfer.StandsSince is not { } since)
        {
            (transfer.StandsSince, transfer.TakenThen, transfer.TakenLast) = (now, taken, taken);
            (transfer.MovedAt, since) = (now, now);
        }

        if (taken > transfer.TakenLast)
        {
            (transfer.MovedAt, transfer.TakenLast) = (now, taken);
        }

        var limits = options.Value.Serving;
        var stood = time.GetElapsedTime(since, now);
        var still = time.GetElapsedTime(transfer.MovedAt, now);
        if (isStopping && still >= _patienceOfStopping)
        {
            End(transfer, "the node is stopping");
        }
        else if (progress is { } peer && peer.IsGoneFor(_gone))
        {
            End(transfer, $"its system has not answered for {peer.SilentFor.TotalSeconds:0} s");
        }
        else if (stood >= limits.PauseTimeout)
        {
            if (taken - transfer.TakenThen <= limits.MinimumBytesPerSecond * stood.TotalSeconds)
            {
                End(transfer, $"it took {taken - transfer.TakenThen} bytes in {stood.TotalSeconds:0} s (FileTransfer:Serving)");
                return;
            }

            (transfer.StandsSince, transfer.TakenThen) = (now, taken);
            _paused.Add(transfer);
        }
        else
        {
            _paused.Add(transfer);
        }
    }

    private void EndLongestPauses()
    {
        var most = options.Value.Serving.PausedReaders;
        if (_paused.Count <= most)
        {
            return;
        }

        _paused.Sort((a, b) => a.MovedAt.CompareTo(b.MovedAt));
        foreach (var transfer in _paused[..^most])
        {
            End(transfer, $"more than {most} readers pause (FileTransfer:Serving:PausedReaders)");
        }
    }

    private void End(WatchedTransfer transfer, string reason)
    {
        transfer.IsEnded = true;
        Log.ReaderEnded(logger, transfer.Name, transfer.Meter.BytesSent, reason);
        transfer.Context.Abort();
    }

    private sealed class WatchedTransfer(HttpContext context, TransferMeter meter, DateTimeOffset since)
    {
        public DateTimeOffset Since => since;

        public HttpContext Context => context;

        public TransferMeter Meter => meter;

        public Socket? Socket { get; } = context.Features.Get<IConnectionSocketFeature>()?.Socket;

        public string Name => $"{context.Request.Method} {context.Request.Path.ToUriComponent()}";

        public UploadResource Describe() =>
            new(
                context.Request.RouteValues["file_key"] as string,
                context.Request.Query["location"],
                context.Connection.RemoteIpAddress?.ToString(),
                context.User.Identity?.Name,
                since,
                meter.BytesReceived,
                context.Request.ContentLength,
                meter.SenderAwaited.TotalSeconds
            );

        /// <summary>When its reader was first found pausing, and what it had taken by then.</summary>
        public long? StandsSince { get; set; }

        public long TakenThen { get; set; }

        /// <summary>What its reader had taken at the last look that found something taken, and when that was.</summary>
        public long TakenLast { get; set; }

        public long MovedAt { get; set; }

        /// <summary>Its request may take a moment to notice; it does not count among those that pause.</summary>
        public bool IsEnded { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1950,
            LogLevel.Information,
            "{Request}: no data received for {Awaited}; ended after {BytesReceived} bytes. Verified chunks are kept"
        )]
        public static partial void SenderSilent(ILogger logger, string request, long bytesReceived, TimeSpan awaited);

        [LoggerMessage(1951, LogLevel.Information, "{Request}: disconnected the reader after {BytesSent} bytes: {Reason}")]
        public static partial void ReaderEnded(ILogger logger, string request, long bytesSent, string reason);
    }
}
