namespace FileTransfer.Wants.Policies;

/// <summary>Policies as JSON.</summary>
public static class PolicyResources
{
    public static PolicyDefinition ToDefinition(this Policy policy) =>
        new(Policy.NameOf(policy.Kind), [.. policy.Filters.Select(filter => filter.ToString())]);

    extension(PolicyResource)
    {
        public static PolicyResource Of(PolicyRecord policy, PolicyEffect effect) =>
            new(
                policy.Bucket.ToString(),
                Policy.NameOf(policy.Policy.Kind),
                [.. policy.Policy.Filters.Select(filter => filter.ToString())],
                policy.ChangedAt,
                policy.IsReviewDue,
                effect.Reviewed,
                effect.Wanted,
                effect.Withdrawn,
                effect.Pruned,
                effect.Kept,
                [.. effect.KeptKeys.Select(key => key.ToString())]
            );
    }
}
