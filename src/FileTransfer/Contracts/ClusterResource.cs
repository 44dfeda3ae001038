namespace FileTransfer.Contracts;

/// <summary>The cluster as an operator sees it.</summary>
/// <param name="Leader">The node that leads now; null while none does.</param>
public sealed record ClusterResource(string Cluster, string? Leader, IReadOnlyList<NodeResource> Nodes);

/// <summary>A node as an operator sees it.</summary>
/// <param name="Role">What it is now: <c>leader</c>, <c>follower</c> or <c>standalone</c>.</param>
/// <param name="ConfiguredRole"><c>auto</c>, <c>follower</c> or <c>standalone</c>.</param>
/// <param name="Alive">It was heard of within the last 10 seconds.</param>
/// <param name="Stored">Replicas in this state; the same for the next four.</param>
/// <param name="Lag">Mutations of the feed that it has not brought into its queue yet.</param>
/// <param name="Estimated">
/// There are too many replicas to be counted for an answer: <paramref name="Stored"/> is about right, within some percent, and so are others of tens of
/// thousands. Smaller ones are exact; 0 is none.
/// </param>
/// <param name="Paused">Set aside by a person.</param>
/// <param name="Fault">Why what the database has is no node of this program; null where it is one.</param>
/// <param name="PublicKeys">The key that it signs with, and the one that it did before it was rotated.</param>
public sealed record NodeResource(
    string Node,
    string Role,
    string ConfiguredRole,
    Uri Url,
    DateTimeOffset StartedAt,
    DateTimeOffset SeenAt,
    bool Alive,
    long Stored,
    long Wanted,
    long Downloading,
    long Failed,
    long Removing,
    long Lag,
    bool Estimated = false,
    long Paused = 0,
    string? Fault = null,
    IReadOnlyList<string>? PublicKeys = null
)
{
    /// <summary>What this node still has to bring or take away.</summary>
    [JsonIgnore]
    public long Pending => Wanted + Downloading + Removing + Paused;
}

/// <summary>A node that was taken out of the cluster.</summary>
/// <param name="Replicas">Replicas that went with it.</param>
/// <param name="OnlyCopies">Files that it alone had stored: nobody has them now.</param>
public sealed record NodeRemovalResource(string Node, long Replicas, long OnlyCopies);

/// <summary>Who leads, as JSON.</summary>
/// <param name="Epoch">Counts changes of the leader, from 1.</param>
public sealed record LeaderResource(string Node, Uri Url, long Epoch, DateTimeOffset Since);
