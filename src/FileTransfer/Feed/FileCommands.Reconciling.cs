using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Feed.Reconciliation;

namespace FileTransfer.Feed;

/// <content>Brings back what the catalog has lost.</content>
public sealed partial class FileCommands
{
    /// <summary>
    /// Registers and adds files again, or removes them again, in one transaction. A file that something has happened to since it was decided
    /// is left as it is. Unlike with an upload, the Add comes before a node has the content stored: it lies in a folder and is proven later.
    /// </summary>
    /// <exception cref="Cluster.NotLeadingException">The node stopped leading in between; nothing was done.</exception>
    public Task<ReconcileResource> ReconcileAsync(
        IReadOnlyList<ReconcileDecision> decisions,
        CancellationToken cancellationToken
    ) =>
        InLeaderTransactionAsync(
            async (transaction, token) =>
            {
                var connection = transaction.Connection;
                var (restored, removed, changed) = (0, 0, new List<string>());

                // In the order of the keys, as everybody locks files and bins.
                foreach (var decision in decisions.OrderBy(decision => decision.Key))
                {
                    var now = await FileCatalog.LockAsync(connection, decision.Key, token);
                    if (now?.State != decision.State || (now?.Generation ?? 0) != decision.Generation)
                    {
                        changed.Add(decision.Key.ToString());
                    }
                    else if (decision.Restore is { } metadata)
                    {
                        var (outcome, _) = await FileCatalog.RegisterAsync(
                            connection,
                            decision.Key,
                            metadata,
                            token,
                            isBounded: false
                        );
                        if (outcome == RegisterOutcome.Known)
                        {
                            changed.Add(decision.Key.ToString());
                            continue;
                        }

                        foreach (var pinned in decision.PinnedAt)
                        {
                            await ReplicaTransitions.WantAsync(connection, pinned, [decision.Key], waitsForUpload: false, token);
                        }

                        await FeedAppender.AppendAsync(transaction, MutationKind.Add, [decision.Key], token);
                        restored++;
                    }
                    else if (now is { State: FileState.Added or FileState.Registered })
                    {
                        await EndAsync(transaction, [decision.Key], _ => null, token);
                        removed++;
                    }
                }

                return new ReconcileResource(restored, removed, changed);
            },
            cancellationToken
        );
}
