using System.Collections.Frozen;

namespace FileTransfer.Catalog.Replicas;

/// <summary>Where one node's copy of one file stands.</summary>
public enum ReplicaState
{
    /// <summary>To be downloaded: ready, backing off, or waiting for what its reason names.</summary>
    Wanted,

    /// <summary>A lane holds the advisory lock and fetches it.</summary>
    Downloading,

    /// <summary>Proven and durable here.</summary>
    Stored,

    /// <summary>Leaves this node, removed from the cluster or not wanted here any more; its bytes are being deleted.</summary>
    Removing,

    /// <summary>All attempts are spent; retried when a new source appears or a person asks.</summary>
    Failed,

    /// <summary>Set aside by a person.</summary>
    Paused,
}

/// <summary>The only transitions a replica makes. Every statement that writes a state takes its precondition from here.</summary>
public static class ReplicaTransitions
{
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
    public static string NameOf(ReplicaState state) =>
        state switch
        {
            ReplicaState.Wanted => "wanted",
            ReplicaState.Downloading => "downloading",
            ReplicaState.Stored => "stored",
            ReplicaState.Removing => "removing",
            ReplicaState.Failed => "failed",
            ReplicaState.Paused => "paused",
            _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not a replica state."),
        };

    public static bool TryParse(string? name, out ReplicaState state)
    {
        state = Enum.GetValues<ReplicaState>().FirstOrDefault(candidate => NameOf(candidate) == name);
        return name is not null && NameOf(state) == name;
    }

    public static ReplicaState Parse(string name) =>
        TryParse(name, out var state)
            ? state
            : throw new InvalidDataException($"The catalog holds an unknown replica state '{name}'.");
}
