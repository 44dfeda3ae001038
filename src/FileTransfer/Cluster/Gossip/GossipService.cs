using FileTransfer.Cluster.Trust;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Gossip;

/// <summary>Drives the machine of gossip: hands it what comes and what time it is, and carries out what it answers.</summary>
public sealed partial class GossipService : BackgroundService
{
    private const int RoundsBetweenLookups = 30;

    private readonly OwnAnnouncement _own;
    private readonly GossipTransport _transport;
    private readonly TrustedKeys _trust;
    private readonly PeerDirectory _directory;
    private readonly GossipSeeds _seeds;
    private readonly GossipOptions _options;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly GossipSenders _senders;
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<long, TaskCompletionSource<GossipNews>> _requests = new();
    private readonly ConcurrentQueue<PeerName> _revoked = new();
    private readonly ConcurrentDictionary<string, long> _refused = new();
    private readonly GossipMetrics _metrics;
    private readonly AsyncAutoResetEvent _hint = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly long _began;
    private GossipMachine? _machine;
    private bool _hasChanged;
    private long _lastRequest;

    public GossipService(
        OwnAnnouncement own,
        GossipTransport transport,
        TrustedKeys trust,
        PeerAddresses addresses,
        PeerDirectory directory,
        GossipSeeds seeds,
        IOptions<GossipOptions> options,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        ILogger<GossipService> logger
    )
    {
        (_own, _transport, _trust, _directory, _options) = (own, transport, trust, directory, options.Value);
        (_seeds, _lifetime, _time, _logger, _began) = (seeds, lifetime, time, logger, time.GetTimestamp());
        _senders = new GossipSenders(trust, addresses, time, Find);
        _metrics = new GossipMetrics(() => _machine is null ? [] : Peers().Peers);
    }

    private TimeSpan Now => _time.GetElapsedTime(_began);

    /// <summary>Who has signed a message, and what it says; null where nobody did who is known.</summary>
    internal (bool IsTrusted, GossipNews News)? Read(
        PeerName from,
        GossipMessage message,
        Func<IReadOnlyList<PublicKey>, bool, bool> isSignedBy
    ) => _senders.Read(from, message, isSignedBy);

    /// <summary>A message, or what was in it, is not believed.</summary>
    /// <param name="reason">A word.</param>
    public void Refuse(string reason)
    {
        _refused.AddOrUpdate(reason, 1, (_, count) => count + 1);
        GossipMetrics.Refused(reason);
    }

    /// <summary>What to answer to a message.</summary>
    public async Task<GossipNews> AnswerAsync(PeerName from, bool isTrusted, GossipNews news, CancellationToken cancellationToken)
    {
        var request = Interlocked.Increment(ref _lastRequest);
        var answer = _requests[request] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            Tell(new GossipEvent.Requested(request, from, isTrusted, news));
            return await answer.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _requests.TryRemove(request, out _);
        }
    }

    /// <summary>All peers, as they are now, since when in the time of <see cref="TimeProvider.GetUtcNow"/>.</summary>
    public PeersResource Peers()
    {
        var (now, at) = (Now, _time.GetUtcNow());
        lock (_gate)
        {
            return new PeersResource(
                [
                    .. Machine
                        .Peers()
                        .OrderBy(peer => peer.Name.Cluster, StringComparer.Ordinal)
                        .ThenBy(peer => peer.Name.Node.Value, StringComparer.Ordinal)
                        .Select(peer => peer.ToResource(at - (now - peer.Since))),
                ],
                _refused.OrderBy(reason => reason.Key, StringComparer.Ordinal).ToDictionary()
            );
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listening = _lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
        await using var stop = stoppingToken.Register(_stopped.Cancel);
        _trust.Changed += OnTrustChanged;
        try
        {
            for (var round = 0; ; round = (round + 1) % RoundsBetweenLookups)
            {
                if (round == 0)
                {
                    Tell(new GossipEvent.SeedsChanged(await _seeds.FindAsync(stoppingToken)));
                }

                await AnnounceAsync(stoppingToken);
                GossipMetrics.Round();
                Tell(new GossipEvent.Tick(_time.GetUtcNow()));
                var next = Now + _options.Interval;
                do
                {
                    await UpdateDirectoryAsync();
                } while (Now < next && await _hint.WaitAsync(next - Now, _time, stoppingToken));
            }
        }
        finally
        {
            _trust.Changed -= OnTrustChanged;
        }
    }

    public override void Dispose()
    {
        _stopped.Dispose();
        _metrics.Dispose();
        base.Dispose();
    }

    /// <summary>Made when it is needed first: the address that this node announces may be the one that the server binds.</summary>
    private GossipMachine Machine =>
        _machine ??= new GossipMachine(
            _own.Next(null)!,
            GossipLimits.Default with
            {
                Interval = _options.Interval,
            },
            words => StandingOf(words.Content),
            new Random()
        );

    private TrustStanding StandingOf(Announcement content) =>
        (TrustStanding)_trust.Judge(content.Name, content.Keys, content.Rotation).Standing;

    private SignedAnnouncement? Find(PeerName name)
    {
        lock (_gate)
        {
            return Machine.Find(name);
        }
    }

    private void OnTrustChanged()
    {
        Tell(new GossipEvent.TrustChanged(null));
        _hint.Set();
    }

    private void Tell(GossipEvent happened)
    {
        lock (_gate)
        {
            foreach (var action in Machine.Handle(happened, Now))
            {
                CarryOut(action);
            }
        }
    }

    private void CarryOut(GossipAction action)
    {
        switch (action)
        {
            case GossipAction.Ask ask:
                _ = Task.Run(() => AskAsync(ask));
                break;
            case GossipAction.Answer answer:
                _requests.GetValueOrDefault(answer.Request)?.TrySetResult(answer.News);
                break;
            case GossipAction.Announce announce:
                _own.GoAbove(announce.AboveGeneration);
                _hint.Set();
                break;
            case GossipAction.Changed { Words.Name: var name, Before: var before, Status: var status }:
                _hasChanged = true;
                _hint.Set();
                GossipMetrics.Changed(before, status);
                Log.Changed(
                    _logger,
                    name,
                    $"{status}".ToLowerInvariant(),
                    Machine.ViewOf(name)?.Reason ?? "it is not trusted any more"
                );
                break;
            case GossipAction.Refused refused:
                Refuse($"{refused.Reason}".ToLowerInvariant());
                break;
            case GossipAction.Revoked { Peer: var peer }:
                _hasChanged = true;
                _revoked.Enqueue(peer.Name);
                _hint.Set();
                Log.Revoked(_logger, peer.Name);
                break;
            case GossipAction.Forgot { Name: var name }:
                _hasChanged = true;
                Log.Forgot(_logger, name);
                break;
        }
    }

    private async Task AskAsync(GossipAction.Ask ask)
    {
        try
        {
            Tell(await _transport.AskAsync(ask, _senders, _stopped.Token));
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
        {
            // The node stops.
        }
        catch (Exception fault)
        {
            Log.Fault(_logger, ask.To?.ToString() ?? string.Join(' ', ask.Urls), fault);
            Tell(new GossipEvent.Failed(ask.Exchange, fault.Message));
        }
    }

    private async Task AnnounceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _own.ReadBucketsAsync(cancellationToken);
        }
        catch (Exception e) when (DatabaseReach.IsFailure(e))
        {
            // Those of before are announced as long as the database is away.
        }

        lock (_gate)
        {
            if (_own.Next(Machine.Self.Content) is { } words)
            {
                Tell(new GossipEvent.Announced(words));
            }
        }
    }

    private async Task UpdateDirectoryAsync()
    {
        while (_revoked.TryDequeue(out var name))
        {
            _directory.Revoke(name);
        }

        List<PeerView> peers;
        lock (_gate)
        {
            if (!_hasChanged)
            {
                return;
            }

            _hasChanged = false;
            peers = [.. Machine.Peers()];
        }

        await _directory.UpdateAsync(peers);
    }

    private static partial class Log
    {
        [LoggerMessage(2160, LogLevel.Information, "Peer {Peer} is {Status}: {Reason}")]
        public static partial void Changed(ILogger logger, PeerName peer, string status, string reason);

        [LoggerMessage(2161, LogLevel.Warning, "Peer {Peer} is not trusted any more; what was under way with it ends")]
        public static partial void Revoked(ILogger logger, PeerName peer);

        [LoggerMessage(2162, LogLevel.Information, "Peer {Peer} was dead for so long that it is forgotten")]
        public static partial void Forgot(ILogger logger, PeerName peer);

        [LoggerMessage(2163, LogLevel.Error, "Gossip with {Peer} failed because of a fault on this node")]
        public static partial void Fault(ILogger logger, string peer, Exception fault);
    }
}
