using FileTransfer.Cluster;
using FileTransfer.Hosting.Configuration;

namespace FileTransfer.Hosting.Requests;

/// <summary>Drains: the server stays open, refuses new requests but for files while the node still has duties, and waits for running ones up to <see cref="ServerOptions.DrainTimeout"/>.</summary>
internal sealed partial class RequestDrain(
    IHostApplicationLifetime lifetime,
    LastDuties duties,
    IOptions<ServerOptions> options,
    TimeProvider time,
    ILogger<RequestDrain> logger
) : IHostedLifecycleService
{
    private readonly Lock _gate = new();
    private readonly HashSet<HttpContext> _running = [];
    private TaskCompletionSource? _idle;

    public bool IsDraining => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Requests that run now.</summary>
    public int Running
    {
        get
        {
            lock (_gate)
            {
                return _running.Count;
            }
        }
    }

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (HealthPaths.Contain(context.Request.Path))
        {
            await next(context);
        }
        else if (TryEnter(context))
        {
            try
            {
                await next(context);
            }
            finally
            {
                Leave(context);
            }
        }
        else
        {
            context.Response.Headers.Connection = "close";
            await Problem
                .Of(
                    ProblemTypes.Draining,
                    "This node is stopping and takes no new requests; send it to another node, or again later."
                )
                .ExecuteAsync(context);
        }
    }

    /// <summary>Runs while the server still listens, before any hosted service is stopped.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // A host that is stopped by a call, not by a signal, would say so only afterwards.
        lifetime.StopApplication();
        Task idle;
        int running;
        lock (_gate)
        {
            running = _running.Count;
            _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            idle = running == 0 ? Task.CompletedTask : _idle.Task;
        }

        if (running == 0)
        {
            return;
        }

        Log.Draining(logger, running, options.Value.DrainTimeout);
        try
        {
            await idle.WaitAsync(options.Value.DrainTimeout, time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Log.CutOff(logger, CutOff());
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private bool TryEnter(HttpContext context)
    {
        lock (_gate)
        {
            return (!IsDraining || IsFetchedLast(context.Request)) && _running.Add(context);
        }
    }

    /// <summary>What followers are shipped last they fetch, where it does not fit in a shipment.</summary>
    private bool IsFetchedLast(HttpRequest request) =>
        !duties.Done.IsCancellationRequested
        && HttpMethods.IsGet(request.Method)
        && (
            request.Path.StartsWithSegments(Routes.Files, StringComparison.Ordinal)
            || request.Path.StartsWithSegments(Routes.Nodes, StringComparison.Ordinal)
        );

    private void Leave(HttpContext context)
    {
        lock (_gate)
        {
            _running.Remove(context);
            if (_running.Count == 0)
            {
                _idle?.TrySetResult();
            }
        }
    }

    private int CutOff()
    {
        // Under the lock: nobody cuts off a request whose context serves another by then.
        lock (_gate)
        {
            HttpContext[] left = [.. _running];
            foreach (var context in left)
            {
                context.Abort();
            }

            return left.Length;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1930, LogLevel.Information, "Stopping: {Running} requests have {Limit} to finish")]
        public static partial void Draining(ILogger logger, int running, TimeSpan limit);

        [LoggerMessage(1931, LogLevel.Warning, "Stopping: {Count} requests did not finish in time and were cut off")]
        public static partial void CutOff(ILogger logger, int count);
    }
}
