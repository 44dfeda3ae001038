using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Downloads;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;
using FileTransfer.Wants.Intents;

namespace FileTransfer.Operations;

/// <param name="SilentFor">Since when it was not heard of; null while it is heard of.</param>
internal sealed record Holder(NodeId Node, bool Leads, TimeSpan? SilentFor);

/// <summary>All that this node knows of a file, to explain where it stands here.</summary>
/// <param name="Here">This node's replica; null where it has none.</param>
/// <param name="Holders">The other nodes that have it stored.</param>
/// <param name="Shares">Configured sources that nobody knows the contents of.</param>
/// <param name="FeedLag">Mutations of the file's bin that this node has not read.</param>
/// <param name="NotJoinedBecause">Why the node has not joined its cluster; null while it has.</param>
/// <param name="Met">Where the sources stand that this process has met, for this file.</param>
/// <param name="NoRoomBecause">Why no download starts; null while they may.</param>
/// <param name="LaneShortage">Why fewer lanes run than are set; null while all may.</param>
internal sealed record ExplainedFile(
    FileRecord File,
    NodeId Node,
    bool Leads,
    ReplicaRecord? Here,
    ReplicaDiagnostics Standing,
    LiveDownload? Live,
    IReadOnlyList<Holder> Holders,
    IReadOnlyList<string> Shares,
    IReadOnlyList<SourceTrial> Trials,
    IReadOnlyList<IntentRecord> Intents,
    long FeedLag,
    int MaxAttempts,
    string? NotJoinedBecause,
    string? NoRoomBecause,
    LaneShortage? LaneShortage = null,
    IReadOnlyList<SourceDiagnostics>? Met = null
)
{
    /// <summary>What was wrong with its content here, which is not back yet; null where nothing was.</summary>
    public QuarantinedContent? Damage { get; init; }
}
