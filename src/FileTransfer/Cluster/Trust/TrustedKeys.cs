using FileTransfer.Chunks.Folder;
using FileTransfer.Identity.Signing;
using Microsoft.Extensions.Primitives;

namespace FileTransfer.Cluster.Trust;

/// <summary>Which nodes are believed, by which keys, as of a moment ago.</summary>
/// <remarks>
/// Nobody who asks waits for the database: it is read when somebody changes something anywhere, and every <see cref="_period"/> where a person
/// has listed or revoked a key. What was read last counts while the database is away; before it was read once, nobody is believed, for the one
/// that the configuration lists may be revoked there.
/// </remarks>
public sealed partial class TrustedKeys : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    private static readonly NotificationChannel<string> _changed = new("filetransfer_trust", name => name, name => name);

    private readonly Lock _gate = new();
    private readonly AsyncAutoResetEvent _hint = new();
    private readonly List<KeyRotation> _learned = [];
    private readonly TaskCompletionSource _read = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TrustStore _store;
    private readonly Database _database;
    private readonly ClusterMembership _membership;
    private readonly NodeKeyFile _own;
    private readonly NodePulse _pulse;
    private readonly ThisNode _here;
    private readonly IOptionsFactory<TrustOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IDisposable _changes;
    private volatile TrustTable _table = new([], []);
    private volatile bool _isDoubted;
    private TrustOptions _settings;
    private string? _fault;

    public TrustedKeys(
        TrustStore store,
        Database database,
        ClusterMembership membership,
        NodeKeyFile own,
        NodePulse pulse,
        ThisNode here,
        IOptionsFactory<TrustOptions> options,
        IConfiguration configuration,
        TimeProvider time,
        ILogger<TrustedKeys> logger
    )
    {
        (_store, _database, _membership, _own, _pulse, _here) = (store, database, membership, own, pulse, here);
        (_options, _time, _logger) = (options, time, logger);
        _settings = options.Create(Options.DefaultName);
        _changes = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>Somebody may be believed now who was not, or not any more.</summary>
    public event Action? Changed;

    public TrustMode Mode => _settings.TrustMode;

    /// <summary>All that count, and those that others go before.</summary>
    internal TrustTable Table => _table;

    /// <summary>Whether a node is believed, and by which keys.</summary>
    public TrustVerdict Judge(PeerName name) => Judge(name, [], null);

    /// <summary>Whether a node is believed that shows these keys. A key that a trusted one hands over to is believed from now on.</summary>
    /// <param name="name">Who it says it is.</param>
    /// <param name="shown">The key that it signs with, and the one before that; none where they are not known.</param>
    /// <param name="rotation">By the second key over the first one; null where there is one key.</param>
    public TrustVerdict Judge(PeerName name, IReadOnlyList<PublicKey> shown, byte[]? rotation)
    {
        if (name == _here.Name)
        {
            var own = _own.Current.Public;
            return new(shown.Count == 0 || own.Contains(shown[0]) ? TrustStanding.Trusted : TrustStanding.Conflict, own);
        }

        var verdict = _table.Judge(name, shown, rotation, out var learned);
        return learned is null ? verdict : Learn(name, shown, rotation);
    }

    /// <summary>
    /// Whether a node may be asked for contents that others say it has: one whose trust was revoked may not, nor, in a strict mode, a node of this
    /// database that is not listed.
    /// </summary>
    public bool MayAsk(PeerName name) =>
        Judge(name).Standing switch
        {
            TrustStanding.Trusted => true,
            TrustStanding.Revoked => false,
            _ => name.Cluster != _here.ClusterId || Mode == TrustMode.Listed,
        };

    /// <summary>The same, when it has been read what the database lists.</summary>
    public async Task<bool> MayAskAsync(PeerName name, CancellationToken cancellationToken)
    {
        await _read.Task.WaitAsync(cancellationToken);
        return MayAsk(name);
    }

    /// <summary>Somebody was refused who may be listed since: it is read again within a second, once for all of them. A notification can be lost.</summary>
    internal void Doubt() => _isDoubted = true;

    internal async Task PutAsync(NodeId node, string? cluster, PublicKey key, string by, CancellationToken cancellationToken)
    {
        await _store.PutAsync(node, cluster, key, by, cancellationToken);
        await ChangedAsync(node, cancellationToken);
    }

    /// <summary>Ends the trust in a node, in one cluster or, where that is null, in all: at once, at all nodes of this one.</summary>
    /// <returns>False where nothing lists it.</returns>
    internal async Task<bool> RevokeAsync(NodeId node, string? cluster, string by, CancellationToken cancellationToken)
    {
        await ReadAsync(cancellationToken);
        var about = _table.Entries.Where(entry =>
            entry.Node == node && (cluster is null || (entry.Cluster ?? cluster) == cluster)
        );
        if (!about.Any())
        {
            return false;
        }

        var revokes = about.Any(entry =>
            entry.Keys.Count > 0 && (entry.Origin != TrustOrigin.Stored || (cluster is not null && entry.Cluster != cluster))
        );
        await _store.RemoveAsync(node, cluster, revokes, by, cancellationToken);
        await ChangedAsync(node, cancellationToken);
        return true;
    }

    /// <summary>A node has left this database: its row counts no more.</summary>
    internal Task ForgetAsync(NodeId node, CancellationToken cancellationToken) => ChangedAsync(node, cancellationToken);

    public override void Dispose()
    {
        _changes.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _membership.RunWhileJoinedAsync(FollowAsync, stoppingToken);

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        using var changes = _database.Notifications.Subscribe(_changed, _ => _hint.Set());
        using var any = _pulse.Ask("EXISTS (SELECT FROM filetransfer.trust)");
        IReadOnlyList<PublicKey> published = [];
        for (var isHinted = true; ; )
        {
            var keys = _own.Current;
            var own = keys.Public;
            if (!own.SequenceEqual(published))
            {
                await _store.PublishAsync(own, cancellationToken);
                if (own is [var next, var former] && keys.Rotation is { } signature)
                {
                    // Who lists the former key, whatever its row says, has the proof.
                    await _store.AddAsync(new KeyRotation(_here.Name, former, next, signature), cancellationToken);
                }

                _database.Notifications.Send(_changed, _here.Id.Value);
                Log.Published(_logger, _here.Name, own[0]);
                (published, isHinted) = (own, true);
            }

            TellOfFault();
            await StoreLearnedAsync(cancellationToken);
            if (isHinted || any.Holds || _isDoubted)
            {
                _isDoubted = false;
                await ReadAsync(cancellationToken);
            }

            isHinted = await _hint.WaitAsync(_period, _time, cancellationToken);
        }
    }

    private async Task ChangedAsync(NodeId node, CancellationToken cancellationToken)
    {
        await ReadAsync(cancellationToken);
        _database.Notifications.Send(_changed, node.Value);
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        var entries = await _store.EntriesAsync(cancellationToken);
        var rotations = await _store.RotationsAsync(cancellationToken);
        lock (_gate)
        {
            Set(entries, rotations);
        }

        _read.TrySetResult();
        Changed?.Invoke();
    }

    /// <summary>Of what the database lists, and the settings.</summary>
    private void Set(IEnumerable<TrustEntry> listed, IEnumerable<KeyRotation> rotations) =>
        _table = new TrustTable(
            [
                .. listed.Where(entry => entry.Origin != TrustOrigin.Member || _settings.TrustMode == TrustMode.Listed),
                .. _settings.Trust.Select(entry => new TrustEntry(
                    new NodeId(entry.NodeId),
                    entry.Cluster,
                    [PublicKey.FromText(entry.PublicKey)!],
                    TrustOrigin.Settings
                )),
            ],
            rotations.Concat(_learned)
        );

    private TrustVerdict Learn(PeerName name, IReadOnlyList<PublicKey> shown, byte[]? rotation)
    {
        lock (_gate)
        {
            var verdict = _table.Judge(name, shown, rotation, out var learned);
            if (learned is not null)
            {
                _table = _table.With(learned);
                _learned.Add(learned);
                _hint.Set();
                Log.Rotated(_logger, name, learned.Next);
            }

            return verdict;
        }
    }

    private async Task StoreLearnedAsync(CancellationToken cancellationToken)
    {
        KeyRotation[] learned;
        lock (_gate)
        {
            learned = [.. _learned];
        }

        foreach (var rotation in learned)
        {
            await _store.AddAsync(rotation, cancellationToken);
            lock (_gate)
            {
                _learned.Remove(rotation);
            }
        }
    }

    private void Reload()
    {
        try
        {
            var settings = _options.Create(Options.DefaultName);
            lock (_gate)
            {
                _settings = settings;
            }

            // What the database lists is read with it, also where the mode says now that it counts.
            _hint.Set();
        }
        catch (Exception e)
        {
            // Thrown into the configuration's change callback it would take the process down.
            Log.ChangeRefused(_logger, e is OptionsValidationException refused ? string.Join(" ", refused.Failures) : e.Message);
        }
    }

    private void TellOfFault()
    {
        var fault = _own.Fault;
        if (fault is not null && fault != _fault)
        {
            Log.KeyFileUnreadable(_logger, _own.Path, fault);
        }

        _fault = fault;
    }

    private static partial class Log
    {
        [LoggerMessage(2151, LogLevel.Information, "Node {Node} signs with the public key {Key}")]
        public static partial void Published(ILogger logger, PeerName node, PublicKey key);

        [LoggerMessage(2152, LogLevel.Information, "Node {Node} has handed over to the public key {Key}, which is trusted now")]
        public static partial void Rotated(ILogger logger, PeerName node, PublicKey key);

        [LoggerMessage(2153, LogLevel.Error, "Rejected a change of the trusted keys; the previous ones count: {Reason}")]
        public static partial void ChangeRefused(ILogger logger, string reason);

        [LoggerMessage(
            2154,
            LogLevel.Warning,
            "{File} cannot be read; this node signs with the key that it read before, until it is restarted: {Reason}"
        )]
        public static partial void KeyFileUnreadable(ILogger logger, string file, string reason);
    }
}
