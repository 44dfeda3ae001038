using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Downloads.Progress;
using FileTransfer.Downloads.Sources;

namespace FileTransfer.Wants.Intents;

/// <summary>Describes intents to their callers.</summary>
public sealed class IntentAnswers(
    IntentTable intents,
    FileCatalog catalog,
    ReplicaTable replicas,
    ChunkStore store,
    QueueSignal queue,
    DownloadEvents events,
    SourceRegistry sources,
    NodeId here,
    TimeProvider time
)
{
    private static readonly TimeSpan _localPatience = TimeSpan.FromSeconds(2);

    /// <summary>The answer to a new intent. A content that is on this disk under another key is waited for: no source is asked.</summary>
    public async Task<IntentResource> AnswerAsync(
        FileRecord file,
        IntentRecord intent,
        bool wantsAnew,
        CancellationToken cancellationToken
    )
    {
        if (wantsAnew)
        {
            events.Publish(
                new DownloadEvent(file.Key, DownloadEventKind.Wanted, null, 0, file.Size, "an intent asks for it", null)
            );
        }

        var isHere = intent.Outcome == IntentOutcome.Stored;
        if (intent.Outcome is null)
        {
            queue.Set();
            if (store.Contains(file.Fingerprint, file.Size))
            {
                await StoredAsync(file.Key, cancellationToken);
                intent = await intents.SettledAsync(file.Key, intent.Id, cancellationToken) ?? intent;
                isHere = intent.Outcome == IntentOutcome.Stored;
            }
        }

        var answer = await DescribeAsync(intent, file, cancellationToken);
        return isHere ? answer with { Says = "It is stored here already; no source was asked." } : answer;
    }

    /// <summary>The answer to a withdrawal.</summary>
    public async Task<IntentResource> AnswerAsync(IntentRecord intent, bool givesUp, CancellationToken cancellationToken)
    {
        var answer = await DescribeAsync(intent, cancellationToken);
        if (givesUp && answer.State == FileResource.Absent)
        {
            // Nothing of it was on disk, so it went at once, and nobody is notified of that.
            events.Publish(
                new DownloadEvent(intent.File, DownloadEventKind.Withdrawn, null, 0, answer.Size, IntentTable.NobodyWantsIt, null)
            );
        }

        return answer;
    }

    public async Task<IntentResource> DescribeAsync(IntentRecord intent, CancellationToken cancellationToken) =>
        // The key of an intent refers to a file for ever.
        await DescribeAsync(intent, (await catalog.FindAsync(intent.File, cancellationToken))!, cancellationToken);

    /// <summary>Why there is no such intent.</summary>
    public async Task<ProblemHttpResult> UnknownAsync(FileKey key, Guid id, CancellationToken cancellationToken) =>
        await catalog.FindAsync(key, cancellationToken) switch
        {
            null => FileProblems.Unknown(key),
            { State: FileState.Removed } => FileProblems.Removed(key),
            _ => Problem.Of(
                ProblemTypes.IntentUnknown,
                $"Node {here} has no intent {id} for the file {key}; ask the node that it was made at. "
                    + $"Intents are forgotten {IntentTable.Remembered.TotalHours:0} hours after they ended.",
                ("id", id.ToString()),
                ("key", key.ToString())
            ),
        };

    private async Task<IntentResource> DescribeAsync(IntentRecord intent, FileRecord file, CancellationToken cancellationToken)
    {
        var all = await replicas.OfAsync(file.Key, cancellationToken);
        var replica = all.FirstOrDefault(candidate => candidate.Node == here);
        var others =
            intent.Outcome == IntentOutcome.Withdrawn
                ? (await intents.StandingAsync(file.Key, atMost: 1000, cancellationToken)).Count
                : 0;
        var says = IntentWords.Of(intent, replica, IntentResource.SourcesOf(all, here), sources.OutsideIds.Count, others);
        return IntentResource.Of(intent, file, all, here, says);
    }

    /// <summary>Waits until the download of the file has come to an end here, for a moment at the most.</summary>
    private async Task StoredAsync(FileKey key, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(_localPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var position = events.Log.Newest;
        try
        {
            while (await replicas.StateOfAsync(here, key, either.Token) is ReplicaState.Wanted or ReplicaState.Downloading)
            {
                position = await HearAsync(key, position, either.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It takes longer: the answer says how far it is.
        }
    }

    /// <summary>Waits for an event of the file after a position in the log.</summary>
    /// <returns>The position to go on at.</returns>
    private async Task<long> HearAsync(FileKey key, long position, CancellationToken cancellationToken)
    {
        var heard = new List<LoggedEvent>();
        while (!heard.Exists(one => one.Event.File == key))
        {
            await events.Log.WaitAsync(position, Timeout.InfiniteTimeSpan, cancellationToken);
            heard.Clear();
            if (!events.Log.TryRead(position, DownloadEventLog.Kept, heard))
            {
                return events.Log.Newest; // Some were missed, and one of them may be it.
            }

            position = heard[^1].Position;
        }

        return position;
    }
}
