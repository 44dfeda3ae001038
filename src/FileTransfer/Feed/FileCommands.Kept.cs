using FileTransfer.Catalog;
using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed;

/// <summary>What becomes of the files that an upstream does not have any more.</summary>
public enum KeptDecision
{
    /// <summary>As if it had removed them.</summary>
    Accept,

    /// <summary>They are this cluster's own.</summary>
    Keep,
}

/// <content>Decides of files that comparisons did not find at an upstream any more.</content>
public sealed partial class FileCommands
{
    private const int KeptAtOnce = 200;

    /// <summary>Does with the kept files of an upstream as somebody has decided, some at a time: what was done before a failure stays done.</summary>
    /// <returns>How many they were, and how many of them were removed since nobody else claims them.</returns>
    public async Task<(int Files, int Removed)> DecideKeptAsync(
        string upstream,
        KeptDecision decision,
        CancellationToken cancellationToken
    )
    {
        var (files, removed) = (0, 0);
        while (true)
        {
            var keys = await KeptFiles.FirstAsync(database, upstream, KeptAtOnce, cancellationToken);
            if (keys.Count == 0)
            {
                return (files, removed);
            }

            var done = await InLeaderTransactionAsync(
                (transaction, token) => DecideAsync(transaction, upstream, keys, decision, token),
                cancellationToken
            );
            (files, removed) = (files + done.Files, removed + done.Removed);
        }
    }

    private async Task<(int Files, int Removed)> DecideAsync(
        LeaderTransaction transaction,
        string upstream,
        IReadOnlyList<FileKey> keys,
        KeptDecision decision,
        CancellationToken cancellationToken
    )
    {
        var connection = transaction.Connection;
        var files = await FileCatalog.LockAsync(connection, keys, cancellationToken);
        var kept = (await UpstreamFiles.ForgetKeptAsync(connection, upstream, keys, cancellationToken)).ToHashSet();
        var there = files.Where(file => kept.Contains(file.Key) && file.State != FileState.Removed).ToList();
        if (decision == KeptDecision.Keep)
        {
            await OwnAsync(transaction, there, cancellationToken);
            return (kept.Count, 0);
        }

        var claims = await UpstreamFiles.ClaimsAsync(connection, _upstreams, kept, cancellationToken);
        var ended = there.Where(file => !file.IsOwn && !claims.Contains(file.Key)).Select(file => file.Key).ToList();
        await EndAsync(transaction, ended, _ => null, cancellationToken);
        return (kept.Count, ended.Count);
    }
}
