using System.Collections.Frozen;

namespace FileTransfer.Catalog.Replicas;

/// <summary>
/// The transitions of replicas, each a method: here those that anybody causes outside the download lock, in <see cref="ReplicaQueue"/> those of
/// a claim and of the queue's maintenance. Nobody else writes <c>filetransfer.replicas</c>.
/// </summary>
public sealed partial class ReplicaTransitions(Database database)
{
    private static readonly string[] _names = [.. Enum.GetNames<ReplicaState>().Select(name => name.ToLowerInvariant())];

    private static readonly FrozenDictionary<ReplicaState, ReplicaState[]> _sources = new Dictionary<ReplicaState, ReplicaState[]>
    {
        // An attempt failed, its holder was lost, the content was lost, a source appeared, a person asked, it was added again.
        [ReplicaState.Wanted] =
        [
            ReplicaState.Downloading,
            ReplicaState.Stored,
            ReplicaState.Failed,
            ReplicaState.Paused,
            ReplicaState.Removing,
        ],
        [ReplicaState.Downloading] = [ReplicaState.Wanted],
        // Published by the lane that downloads it, or by an upload at any time before.
        [ReplicaState.Stored] = [ReplicaState.Downloading, ReplicaState.Wanted, ReplicaState.Failed, ReplicaState.Paused],
        [ReplicaState.Removing] =
        [
            ReplicaState.Wanted,
            ReplicaState.Downloading,
            ReplicaState.Stored,
            ReplicaState.Failed,
            ReplicaState.Paused,
        ],
        [ReplicaState.Failed] = [ReplicaState.Downloading],
        [ReplicaState.Paused] = [ReplicaState.Wanted, ReplicaState.Downloading, ReplicaState.Failed],
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<ReplicaState, string[]> _sourceNames = _sources.ToFrozenDictionary(
        entry => entry.Key,
        entry => entry.Value.Select(NameOf).ToArray()
    );

    public static bool IsAllowed(ReplicaState from, ReplicaState to) => _sources[to].Contains(from);

    /// <summary>The names of the states from which <paramref name="to"/> may be entered, for <c>state = ANY(@from)</c>.</summary>
    public static string[] Into(ReplicaState to) => _sourceNames[to];

    /// <summary>The state's name in SQL and JSON.</summary>
    public static string NameOf(ReplicaState state) => _names[(int)state];

    public static bool TryRead(string? name, out ReplicaState state)
    {
        state = (ReplicaState)Math.Max(0, Array.IndexOf(_names, name));
        return NameOf(state) == name;
    }
}
