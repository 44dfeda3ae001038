using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Operations;

/// <summary>What is known of a file as JSON.</summary>
public static class ExplanationResources
{
    extension(ExplanationResource)
    {
        internal static ExplanationResource Of(ExplainedFile file) =>
            new(
                file.File.Key.ToString(),
                file.Node.Value,
                Explanation.Of(file),
                file.File.State.ToString().ToLowerInvariant(),
                file.Here is null ? FileResource.Absent : ReplicaTransitions.NameOf(file.Here.State),
                Math.Max(file.Here?.BytesProven ?? 0, file.Live?.BytesProven ?? 0),
                file.File.Size,
                file.Here?.Reason,
                file.Here is null ? null : WaitConditions.NameOf(file.Here.WaitsFor),
                file.Here?.Attempts ?? 0,
                file.MaxAttempts,
                file.Here?.NextAttemptAt == DateTimeOffset.MaxValue ? null : file.Here?.NextAttemptAt,
                file.Standing.WantedAt,
                file.Here?.ChangedAt,
                file.Here?.Epoch,
                file.Here?.Holder,
                file.Standing.HolderPid,
                file.Standing.IsHeld,
                file.Standing.Ahead,
                file.Standing.PolicyWants,
                file.FeedLag,
                [
                    .. file.Holders.Select(holder => new SourceResource(
                        $"node {holder.Node}",
                        holder.Leads,
                        holder.SilentFor is null
                    )),
                ],
                [.. file.Trials.Select(trial => new SourceTrialResource(trial.Source, trial.Outcome, trial.At, trial.Times))],
                [.. file.Intents.Select(intent => new StandingIntentResource(intent.Id, intent.Caller, intent.AskedAt))]
            );
    }
}
