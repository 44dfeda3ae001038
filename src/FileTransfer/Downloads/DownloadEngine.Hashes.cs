using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads;

/// <content>Chunk hashes that have come: proven, kept, and what is missing by them.</content>
public sealed partial class DownloadEngine
{
    private void Prove(PlannerAction.ProveHashes prove)
    {
        var attempt = _attempts[prove.File];
        attempt.Start(PartialAccess.Alone, () => ProveHashesAsync(prove, attempt));
    }

    /// <summary>The hashes came in ranges, from several sources.</summary>
    private async Task ProveHashesAsync(PlannerAction.ProveHashes prove, DownloadAttempt attempt)
    {
        try
        {
            var partial = await attempt.OpenAsync();
            if (!partial.VerifyHashes())
            {
                Tell(new PlannerEvent.HashesInvalid(prove.File));
                return;
            }

            await partial.RevalidateFromDiskAsync(attempt.Cancelled);
            Tell(HashesOf(partial));
            KeepHashes(attempt, partial);
        }
        catch (OperationCanceledException) when (attempt.Cancelled.IsCancellationRequested)
        {
            // Cancelled with its file.
        }
        catch (Exception fault)
        {
            Fail(attempt, fault);
        }
    }

    /// <summary>Writes the hashes down while the first windows come: whoever resumes after a kill can prove with them what is here.</summary>
    private void KeepHashes(DownloadAttempt attempt, PartialFile partial)
    {
        try
        {
            partial.KeepHashes();
        }
        catch (IOException fault)
        {
            Fail(attempt, fault);
        }
    }

    /// <summary>Gives a file up for what this node failed of outside a request.</summary>
    private void Fail(DownloadAttempt attempt, Exception fault)
    {
        attempt.Fail(fault);
        lock (_gate)
        {
            Tell(new PlannerEvent.FileDropped(attempt.Claim.Key));
            attempt.End(
                new PlannerAction.GiveUp(attempt.Claim.Key, fault.Message, SourceFaultKind.Local, HasAsked: true),
                _wakes
            );
        }
    }

    private static PlannerEvent.HashesKnown HashesOf(PartialFile partial)
    {
        var missing = new List<ChunkRange>();
        for (long from = 0; partial.TryNextMissing(from, int.MaxValue, out var first, out var count); from = first + count)
        {
            missing.Add(new ChunkRange(first, count));
        }

        return new PlannerEvent.HashesKnown(partial.Key, missing);
    }
}
