namespace FileTransfer.Catalog.Providers;

/// <summary>Where else a file is, as the catalog knows it.</summary>
/// <param name="Nodes">
/// At most <see cref="Most"/> other nodes that have it stored: those heard of lately first, and of these the newer ones more often, who have the fewest askers.
/// </param>
/// <param name="CompetingNodes">Other nodes, heard of lately, that want it or download it.</param>
/// <param name="Fellows">At most <see cref="MostFellows"/> of these that download it, always the same ones as long as they do.</param>
public sealed record FileProviders(
    IReadOnlyList<ContentProvider> Nodes,
    int CompetingNodes,
    IReadOnlyList<ContentProvider> Fellows
)
{
    public const int Most = 16;

    public const int MostFellows = 8;

    /// <summary>Names of the upstreams that have it, of whose nodes each may.</summary>
    public IReadOnlyList<string> Upstreams { get; init; } = [];

    public static readonly FileProviders None = new([], 0, []);
}

/// <summary>A node that has a file, or a part of it, and the address it answers at.</summary>
/// <param name="Node">The node.</param>
/// <param name="IsLeader">It led when it was asked for.</param>
/// <param name="Url">Where it answers.</param>
/// <param name="Instance">Names one run of the node's process.</param>
public sealed record ContentProvider(NodeId Node, bool IsLeader, Uri Url, string Instance);
