using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>At the leader: pulls the feeds of the upstreams, each in a loop of its own.</summary>
public sealed partial class UpstreamPuller : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    private readonly Database _database;
    private readonly FileCommands _commands;
    private readonly UpstreamComparison _comparison;
    private readonly Leadership _leadership;
    private readonly ClusterMembership _membership;
    private readonly ThisNode _node;
    private readonly WorkerRegistry _workers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PullMetrics _metrics;

    public UpstreamPuller(
        UpstreamClients clients,
        Database database,
        FileCommands commands,
        UpstreamComparison comparison,
        Leadership leadership,
        ClusterMembership membership,
        ThisNode node,
        WorkerRegistry workers,
        TimeProvider time,
        ILogger<UpstreamPuller> logger
    )
    {
        (_database, _commands, _comparison) = (database, commands, comparison);
        (_leadership, _membership, _node, _workers) = (leadership, membership, node, workers);
        (_time, _logger) = (time, logger);
        Upstreams = [.. clients.All.Select(one => new Upstream(one.Options, one.Client))];
        _metrics = new PullMetrics(Upstreams);
    }

    public IReadOnlyList<Upstream> Upstreams { get; }

    public override void Dispose()
    {
        _metrics.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (Upstreams.Count > 0)
        {
            await _membership.RunWhileJoinedAsync(
                token => Task.WhenAll(Upstreams.Select(upstream => PullAsync(upstream, token))),
                stoppingToken
            );
        }
    }

    private async Task PullAsync(Upstream upstream, CancellationToken cancellationToken)
    {
        var worker = _workers.Add($"upstream {upstream.Options.Name}", "pulls the feed of an upstream, at the leader");
        while (true)
        {
            var pause = _period;
            try
            {
                await worker.RunAsync(
                    () =>
                        new PullSession(
                            upstream,
                            _commands,
                            _comparison,
                            _database,
                            _leadership,
                            _node.ClusterId,
                            _time,
                            _logger
                        ).RunAsync(cancellationToken),
                    cancellationToken
                );
            }
            catch (UpstreamFaultException fault)
            {
                var before = upstream.Fault;
                var isNews = before?.Reason != fault.Message;
                if (isNews)
                {
                    Log.Fault(_logger, upstream.Options.Name, upstream.Client.Url, fault.Message);
                }

                var failures = before is null ? 0 : before.Failures + 1;
                var since = isNews ? _time.GetUtcNow() : before!.Since;
                upstream.Fault = new UpstreamFault(fault.Message, since, failures, _time.GetTimestamp());
                upstream.Client.TryNextUrl();
                pause = PullSession.Backoff.Bound(failures);
            }
            catch (Exception e)
                when (e is PositionMovedException or NotLeadingException
                    || (ClusterMembership.IsPassing(e) && !cancellationToken.IsCancellationRequested)
                )
            {
                // Of this cluster, not of the upstream: other upstreams wait for the same, each in its own loop.
                if (e is NotLeadingException)
                {
                    upstream.Forget();
                }
            }

            await Task.Delay(pause, _time, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1730, LogLevel.Warning, "Upstream {Upstream} at {Url} cannot be pulled; retrying: {Reason}")]
        public static partial void Fault(ILogger logger, string upstream, Uri url, string reason);
    }
}
