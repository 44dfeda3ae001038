using FileTransfer.Cluster.Peers;

namespace FileTransfer.Cluster;

/// <summary>Contends for the leader's lock, takes office with its proof, and leaves office the moment it cannot prove it.</summary>
public sealed partial class LeaderElection(
    Database database,
    ClusterMembership membership,
    Leadership leadership,
    RivalWatch rivals,
    LastDuties duties,
    ThisNode node,
    TimeProvider time,
    ILogger<LeaderElection> logger
) : BackgroundService
{
    private static readonly TimeSpan _rivalPeriod = TimeSpan.FromMilliseconds(500);

    /// <summary>A third of <see cref="Leadership.ProofLifetime"/>: two may be late.</summary>
    private static readonly TimeSpan _provePeriod = TimeSpan.FromSeconds(1);

    /// <summary>After a handover: any other node that may lead has taken over by then.</summary>
    private static readonly TimeSpan _standAside = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (node.Role != NodeRole.Follower)
        {
            // The office is left when the last duties are done, not when the last transfer has drained: a successor need not wait for it.
            using var leaving = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, duties.Done);
            await membership.RunWhileJoinedAsync(ContendAsync, leaving.Token);
        }
    }

    private async Task ContendAsync(CancellationToken cancellationToken)
    {
        await using var session = await database.OpenSessionAsync($"{node.Id}/leader", cancellationToken);
        using var during = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, session.Lost);
        await rivals.LookAsync(during.Token);
        while (true)
        {
            if (leadership.Rival is not null)
            {
                await Task.Delay(_rivalPeriod, time, during.Token);
                continue;
            }

            var isHandedOver = false;
            await using (var lease = await AdvisoryLockHandle.AwaitAsync(session, leadership.Lock, during.Token))
            {
                if (lease is not null && leadership.Rival is null)
                {
                    isHandedOver = await LeadAsync(session, during.Token);
                }
            }

            if (isHandedOver)
            {
                await Task.Delay(_standAside, time, during.Token);
            }
        }
    }

    /// <returns>Whether a person wants another node to lead.</returns>
    private async Task<bool> LeadAsync(LockConnection session, CancellationToken cancellationToken)
    {
        try
        {
            var asked = time.GetTimestamp();
            if (await session.UseAsync(BecomeLeaderAsync, cancellationToken) is not var (epoch, since, before))
            {
                return false;
            }

            leadership.Predecessor =
                before is null || before == node.Id.Value ? null : new Predecessor(NodeId.OfRow(before), since);

            leadership.Prove(epoch, session.BackendPid, asked);
            Log.Leads(logger, node.Id.Value, epoch, session.BackendPid);
            ClusterMetrics.TookTheLead();
            do
            {
                if (await leadership.HandoverAsked.WaitAsync(_provePeriod, time, cancellationToken))
                {
                    return true;
                }

                asked = time.GetTimestamp();
                if (leadership.Rival is not null || !await session.ProveAsync(leadership.Lock, cancellationToken))
                {
                    return false;
                }

                leadership.Prove(epoch, session.BackendPid, asked);
            } while (true);
        }
        finally
        {
            leadership.End();
            Log.LeadsNoMore(logger, node.Id.Value);
        }
    }

    /// <summary>Writes address and a new epoch in the statement that proves the lock, so there is never a leader without an address.</summary>
    private Task<(long Epoch, DateTime Since, string? Before)?> BecomeLeaderAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var sql = $"""
            UPDATE filetransfer.leader l
            SET node_id = @node, url = @url, epoch = l.epoch + 1, since = now()
            FROM (SELECT node_id FROM filetransfer.leader) former
            WHERE {AdvisoryLockKey.HeldByThisSession("@lock")}
            RETURNING l.epoch, l.since, former.node_id
            """;
        return connection.QuerySingleOrDefaultAsync<(long, DateTime, string?)?>(
            sql,
            new
            {
                node = node.Id.Value,
                url = node.Url.OriginalString,
                @lock = leadership.Lock.Value,
            },
            cancellationToken
        );
    }

    private static partial class Log
    {
        [LoggerMessage(2120, LogLevel.Information, "Node {Node} leads in epoch {Epoch}; backend {BackendPid} holds its lock")]
        public static partial void Leads(ILogger logger, string node, long epoch, int backendPid);

        [LoggerMessage(2121, LogLevel.Information, "Node {Node} no longer leads")]
        public static partial void LeadsNoMore(ILogger logger, string node);
    }
}
