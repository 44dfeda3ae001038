using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads;

/// <content>What has been claimed although a person has paused it.</content>
public sealed partial class DownloadLane
{
    /// <summary>Puts claims of files back that a person has paused: whatever is wanted anew of a bucket that is.</summary>
    private async Task<ClaimOutcome.Claimed> SetAsideAsync(
        LockConnection session,
        ClaimOutcome.Claimed claimed,
        CancellationToken cancellationToken
    )
    {
        if (paused.All.Count == 0)
        {
            return claimed;
        }

        if (paused.OfAll is { Reason: var everything })
        {
            foreach (var claim in claimed.Replicas)
            {
                await queue.RetryAsync(session, claim, everything, null, spendsAttempt: false, TimeSpan.Zero, cancellationToken);
            }

            return claimed with
            {
                Replicas = [],
            };
        }

        var reasons = await paused.ReasonsAsync([.. claimed.Replicas.Select(claim => claim.Key)], cancellationToken);
        if (reasons.Count == 0)
        {
            return claimed;
        }

        foreach (var claim in claimed.Replicas.Where(claim => reasons.ContainsKey(claim.Key)))
        {
            await queue.PauseAsync(session, claim, reasons[claim.Key], bytesProven: null, cancellationToken);
        }

        return claimed with
        {
            Replicas = [.. claimed.Replicas.Where(claim => !reasons.ContainsKey(claim.Key))],
        };
    }
}
