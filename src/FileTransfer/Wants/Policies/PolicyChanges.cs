using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Wants.Policies;

/// <summary>Changes policies, and applies each in steps, in the background: however many files it concerns, nobody waits for all of them.</summary>
/// <remarks>
/// A change is durable with the policy, and so is how far it has come: a kill repeats one step at most, which changes nothing the second time. Another
/// change of the same policy begins from the first file, and the one before is done with.
/// </remarks>
public sealed partial class PolicyChanges(
    NodePolicies policies,
    PolicyReview review,
    QueueSignal queue,
    NodeId node,
    TimeProvider time,
    ILogger<PolicyChanges> logger
)
{
    /// <summary>The last change of each bucket that this process knows of.</summary>
    private readonly ConcurrentDictionary<ByteString, Change> _changes = new();

    /// <summary>Set when there is something to apply.</summary>
    public AsyncAutoResetEvent Due { get; } = new();

    /// <summary>Writes the policy, and waits a while for it to be applied.</summary>
    /// <returns>The policy, whose review is due still where that takes longer, and what has come of it.</returns>
    public async Task<(PolicyRecord Policy, PolicyEffect Effect)> SetAsync(
        ByteString bucket,
        Policy policy,
        bool prunes,
        TimeSpan wait,
        CancellationToken cancellationToken
    )
    {
        var written = await policies.SetAsync(bucket, policy, prunes, cancellationToken);
        var change = ChangeOf(written);
        Due.Set();
        try
        {
            await change.Ended.Task.WaitAsync(wait, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It is applied in any case.
        }

        return (written with { IsReviewDue = !change.IsApplied }, change.Effect);
    }

    /// <summary>The policy, and what has come of its last change, as far as this process knows.</summary>
    public async Task<(PolicyRecord Policy, PolicyEffect Effect)> GetAsync(ByteString bucket, CancellationToken cancellationToken)
    {
        var policy = await policies.GetAsync(bucket, cancellationToken);
        return (policy, _changes.GetValueOrDefault(bucket)?.Effect ?? PolicyEffect.None);
    }

    /// <summary>The same of the buckets behind <paramref name="after"/> that have files or a policy.</summary>
    /// <returns>And whether more may follow.</returns>
    public async Task<(IReadOnlyList<(PolicyRecord Policy, PolicyEffect Effect)> Page, bool GoesOn)> PageAsync(
        ByteString after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var buckets = await policies.BucketsAsync(after, limit, cancellationToken);
        var within = await policies.OfAsync(buckets, cancellationToken);
        var set = within.ToDictionary(policy => policy.Bucket);

        // A bucket whose policy is beyond the bound of bytes begins the next page.
        var cut = (await policies.SetForAsync(buckets, cancellationToken)).FirstOrDefault(bucket => !set.ContainsKey(bucket));
        var page = cut.IsEmpty ? buckets : [.. buckets.TakeWhile(bucket => bucket != cut)];
        return (
            [
                .. page.Select(bucket =>
                    (
                        set.GetValueOrDefault(bucket) ?? PolicyRecord.None(bucket),
                        _changes.GetValueOrDefault(bucket)?.Effect ?? PolicyEffect.None
                    )
                ),
            ],
            buckets.Count == limit || page.Count < buckets.Count
        );
    }

    /// <summary>Has all policies reviewed: what they want may have changed while this node was away.</summary>
    public Task ReviewAllAsync(CancellationToken cancellationToken) => policies.ReviewAllAsync(cancellationToken);

    /// <summary>Takes the next step of a change that is due.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> StepAsync(CancellationToken cancellationToken)
    {
        if (await policies.DueAsync(cancellationToken) is not { } policy)
        {
            return false;
        }

        var change = ChangeOf(policy);
        if (change.IsApplied)
        {
            // It is reviewed once more, and counted anew.
            _changes[policy.Bucket] = change = new Change(policy.ChangedAt);
        }

        var (effect, to) = await review.StepAsync(policy, cancellationToken);
        change.Add(effect);
        if (effect.Wanted > 0)
        {
            queue.Set();
        }

        if (to is { } file)
        {
            await policies.ReviewedToAsync(policy, file, cancellationToken);
        }
        else if (await policies.ReviewedAsync(policy, cancellationToken))
        {
            change.End();
            var all = change.Effect;
            if (!all.IsNothing)
            {
                Log.Followed(logger, node, policy.Bucket, all.Wanted, all.Withdrawn, all.Pruned, all.Kept);
            }
        }

        return true;
    }

    /// <summary>The change that wrote this policy, or a later one of its bucket.</summary>
    private Change ChangeOf(PolicyRecord policy) =>
        _changes.AddOrUpdate(
            policy.Bucket,
            _ => new Change(policy.ChangedAt),
            (_, known) =>
            {
                if (known.ChangedAt >= policy.ChangedAt)
                {
                    return known;
                }

                known.Ended.TrySetResult();
                return new Change(policy.ChangedAt);
            }
        );

    private sealed class Change(DateTime? changedAt)
    {
        public DateTime? ChangedAt => changedAt;

        /// <summary>Set when it is applied, or another has taken its place.</summary>
        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsApplied { get; private set; }

        public PolicyEffect Effect { get; private set; } = PolicyEffect.None;

        public void Add(PolicyEffect more) => Effect = Effect.And(more);

        public void End()
        {
            IsApplied = true;
            Ended.TrySetResult();
        }
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
