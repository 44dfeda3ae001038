using FileTransfer.Cluster.Peers;

namespace FileTransfer.Cluster;

public sealed record LeaderRecord(NodeId Node, Uri Url, long Epoch, DateTimeOffset Since);

public sealed record Predecessor(NodeId Node, DateTime Until);

/// <summary>A node that works on a later state of the catalog than this one.</summary>
public sealed record Rival(CatalogSight Sight, Uri Url)
{
    public string Words =>
        $"this node's database is superseded: node '{Sight.Node}' at {Url.OriginalString} works on timeline {Sight.Timeline}, leader epoch {Sight.Epoch}. "
        + "Stop the older PostgreSQL, and start this node on the newer one";
}

public sealed class NotLeadingException() : Exception("This node does not lead its cluster.");

/// <remarks>
/// Two fences hold a former leader back. Its own clock: it leads only for <see cref="ProofLifetime"/> after the last time pg_locks showed
/// its lock, which is shorter than the server keeps the lock of a silent connection. And the epoch: every transaction of a leader begins
/// with the lock shown to be held, and holds the leader row in share mode in the epoch it was elected in (<see cref="BeginAsync"/>), which
/// a successor has to change first. A leader that stands still inside a transaction does not keep its successor out: the server ends a
/// transaction that says nothing for seconds.
/// </remarks>
public sealed class Leadership(Database database, ThisNode node, TimeProvider time)
{
    /// <summary>How long a proof of the lock is worth; PostgreSQL gives up a silent connection after 11 s.</summary>
    public static readonly TimeSpan ProofLifetime = TimeSpan.FromSeconds(3);

    private volatile Proof? _proof;

    private volatile CatalogSight? _sight;
    private volatile Rival? _rival;

    public bool IsLeading => _rival is null && _proof is { } proof && time.GetElapsedTime(proof.ProvenAt) < ProofLifetime;

    /// <summary>In which epoch this node leads; null where it does not.</summary>
    public long? Epoch => IsLeading ? _proof?.Epoch : null;

    /// <summary>Which catalog this node works on, as last read; null before it was.</summary>
    public CatalogSight? Sight => _sight;

    /// <summary>The node that works on a later state of this catalog, so that this one must not lead; null where there is none.</summary>
    public Rival? Rival => _rival;

    /// <summary>Who led before this node, which may have left something undone; null where it was this node.</summary>
    public Predecessor? Predecessor { get; internal set; }

    /// <summary>Set when a person wants another node to lead.</summary>
    internal AsyncAutoResetEvent HandoverAsked { get; } = new();

    /// <summary>Set when somebody tells of a later state: a reason to ask.</summary>
    internal AsyncAutoResetEvent Rumours { get; } = new();

    public AdvisoryLockKey Lock { get; } = AdvisoryLockKey.FromName($"filetransfer leader {node.ClusterId}");

    /// <summary>The leader whose lock is held now, or null where nobody leads.</summary>
    public async Task<LeaderRecord?> FindLeaderAsync(CancellationToken cancellationToken)
    {
        var sql = $"""
            SELECT node_id, url, epoch, since FROM filetransfer.leader
            WHERE node_id IS NOT NULL AND {AdvisoryLockKey.HeldBy("@lock", "held_lock.pid")}
            """;
        if (_rival is not null)
        {
            return null; // Whoever leads here must not.
        }

        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<(string Node, string Url, long Epoch, DateTime Since)?>(
            sql,
            new { @lock = Lock.Value },
            cancellationToken
        );
        return row is { } found
            ? new LeaderRecord(NodeId.OfRow(found.Node), WrittenUrl.Read(found.Url) ?? WrittenUrl.None, found.Epoch, found.Since)
            : null;
    }

    /// <summary>Begins a transaction in which this node is the leader until it ends: no successor can be elected before.</summary>
    public async Task<LeaderTransaction> BeginAsync(CancellationToken cancellationToken)
    {
        if (!IsLeading || _proof is not { } proof)
        {
            throw new NotLeadingException();
        }

        var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var sql = $"""
                SET LOCAL idle_in_transaction_session_timeout = '5s';
                SELECT 1 FROM filetransfer.leader
                WHERE node_id = @node AND epoch = @epoch AND {AdvisoryLockKey.HeldBy("@lock", "@pid")}
                FOR SHARE
                """;
            var leads = await database.LockWaits.WatchAsync(
                connection,
                connection.QuerySingleOrDefaultAsync<int?>(
                    sql,
                    new
                    {
                        node = node.Id.Value,
                        epoch = proof.Epoch,
                        pid = proof.BackendPid,
                        @lock = Lock.Value,
                    },
                    cancellationToken
                )
            );
            return leads is null
                ? throw new NotLeadingException()
                : new LeaderTransaction(database, connection, transaction, proof.Epoch);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>The lock was shown to be held in this epoch; <paramref name="provenAt"/> is a timestamp taken before it was asked for.</summary>
    internal void Prove(long epoch, int backendPid, long provenAt) => _proof = new Proof(epoch, backendPid, provenAt);

    internal void End() => _proof = null;

    public void Hear(string? told)
    {
        if (_sight is { } own && told != own.Text && CatalogSight.Parse(told)?.Supersedes(own) == true)
        {
            Rumours.Set();
        }
    }

    /// <summary>This node's database is what is told. One that is as late as the rival's, as after a change of hosts, may be led on again.</summary>
    internal void See(CatalogSight own)
    {
        _sight = own;
        if (_rival is { } rival && !rival.Sight.Supersedes(own) && rival.Sight.Timeline <= own.Timeline)
        {
            _rival = null;
        }
    }

    /// <returns>False when that was known.</returns>
    internal bool Supersede(Rival rival)
    {
        var isNews = _rival is null;
        _rival = rival;
        return isNews;
    }

    private sealed record Proof(long Epoch, int BackendPid, long ProvenAt);
}

/// <summary>A transaction of the leader. Disposing it without a commit undoes it.</summary>
public sealed class LeaderTransaction(Database database, NpgsqlConnection connection, NpgsqlTransaction transaction, long epoch)
    : IAsyncDisposable
{
    private readonly List<Action> _hints = [];

    public NpgsqlConnection Connection => connection;

    public long LeaderEpoch => epoch;

    /// <summary>Commits. Every transaction of a leader writes, if only that it holds the leader's row, so each confirms those before it, too.</summary>
    /// <exception cref="CommitUnconfirmedException">It is committed, and no standby has confirmed it.</exception>
    public async Task CommitAsync()
    {
        try
        {
            await database.Commits.CommitAsync(transaction);
        }
        finally
        {
            _hints.ForEach(send => send());
        }
    }

    public void NotifyAfterCommit<T>(NotificationChannel<T> channel, T value)
        where T : class => _hints.Add(() => database.Notifications.Send(channel, value));

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}
