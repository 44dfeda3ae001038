using System.Diagnostics.CodeAnalysis;
using FileTransfer.Catalog;

namespace FileTransfer.Feed.Reconciliation;

/// <summary>What the leader is to do with one file.</summary>
/// <param name="Restore">Its metadata, where it is to be registered and added again; null where it is to be removed.</param>
/// <param name="State">The state in the catalog that was decided on; null where the catalog did not know the file.</param>
/// <param name="Generation">The number of the registration that was decided on.</param>
public sealed record ReconcileDecision(
    FileKey Key,
    FileMetadata? Restore,
    IReadOnlyList<NodeId> PinnedAt,
    FileState? State,
    int Generation
)
{
    public static bool TryRead(
        ReconcileFileResource resource,
        [NotNullWhen(true)] out ReconcileDecision? decision,
        [NotNullWhen(false)] out ProblemHttpResult? problem
    )
    {
        (decision, problem) = (null, null);
        if (!FileKey.TryParse(resource.Key, out var key))
        {
            problem = FileProblems.Malformed(resource.Key ?? "");
            return false;
        }

        var (metadata, fault) = resource.Restore?.Read() ?? default;
        if (fault is not null)
        {
            problem = Problem.Of(fault.Type, fault.Detail, ("key", key.ToString()));
            return false;
        }

        if (metadata?.ComputeKey() is { } computed && computed != key)
        {
            problem = Problem.Of(
                ProblemTypes.KeyMismatch,
                $"The key {key} does not match this metadata, whose hash is {computed}. Correct the key or the metadata.",
                ("key", key.ToString()),
                ("computedKey", computed.ToString())
            );
            return false;
        }

        FileState? state = null;
        if (resource.State is { } name)
        {
            if (!Enum.TryParse<FileState>(name, ignoreCase: true, out var known))
            {
                problem = Problem.Of(
                    ProblemTypes.BadRequest,
                    $"'{name}' is not a state of a file; write registered, added or removed, or leave it out where the catalog did not know it."
                );
                return false;
            }

            state = known;
        }

        var pinned = new List<NodeId>();
        foreach (var id in resource.PinnedAt ?? [])
        {
            if (NodeId.FromText(id) is not { } node)
            {
                problem = Problem.Of(ProblemTypes.BadRequest, $"'{id}' is not a node id; write 1 to 64 of A-Z a-z 0-9 . _ -");
                return false;
            }

            pinned.Add(node);
        }

        decision = new ReconcileDecision(key, metadata, pinned, state, resource.Generation);
        return true;
    }
}
