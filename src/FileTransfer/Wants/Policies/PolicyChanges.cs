using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Wants.Policies;

/// <summary>Changes policies and makes each take effect, one after the other.</summary>
public sealed partial class PolicyChanges(
    NodePolicies policies,
    PolicyReview review,
    QueueSignal queue,
    NodeId node,
    IHostApplicationLifetime lifetime,
    ILogger<PolicyChanges> logger
) : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    public void Dispose() => _oneAtATime.Dispose();

    /// <summary>Writes the policy and makes the replicas follow it. Once it is written this goes on although the caller does not wait.</summary>
    public async Task<(PolicyRecord Policy, PolicyEffect Effect)> SetAsync(
        ByteString bucket,
        Policy policy,
        bool prunes,
        CancellationToken cancellationToken
    )
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            var written = await policies.SetAsync(bucket, policy, cancellationToken);
            return (written, await FollowAsync(written, prunes, lifetime.ApplicationStopping));
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>
    /// Makes the replicas follow the policies of all buckets that have one, or of those alone where a change was cut off before it had taken
    /// effect.
    /// </summary>
    public async Task ReviewAsync(bool dueOnly, CancellationToken cancellationToken)
    {
        foreach (var bucket in await policies.BucketsAsync(dueOnly, cancellationToken))
        {
            await _oneAtATime.WaitAsync(cancellationToken);
            try
            {
                // A change that was under way until now has done it.
                var policy = await policies.GetAsync(bucket, cancellationToken);
                if (policy.IsReviewDue || !dueOnly)
                {
                    await FollowAsync(policy, prunes: false, cancellationToken);
                }
            }
            finally
            {
                _oneAtATime.Release();
            }
        }
    }

    private async Task<PolicyEffect> FollowAsync(PolicyRecord policy, bool prunes, CancellationToken cancellationToken)
    {
        var effect = await review.RunAsync(policy.Bucket, prunes, cancellationToken);
        await policies.ReviewedAsync(policy, cancellationToken);
        if (effect.Wanted > 0)
        {
            queue.Set();
        }

        if (!effect.IsNothing)
        {
            Log.Followed(logger, node, policy.Bucket, effect.Wanted, effect.Withdrawn, effect.Pruned, effect.Kept);
        }

        return effect;
    }

    private static partial class Log
    {
        [LoggerMessage(
            1310,
            LogLevel.Information,
            "{Node} applied the policy of bucket {Bucket}: {Wanted} files wanted, {Withdrawn} withdrawn, {Pruned} pruned, {Kept} kept as the last copy"
        )]
        public static partial void Followed(
            ILogger logger,
            NodeId node,
            ByteString bucket,
            long wanted,
            long withdrawn,
            long pruned,
            long kept
        );
    }
}
