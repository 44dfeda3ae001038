using FileTransfer.Catalog;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Feed.Pull;

/// <summary>A mutation of this cluster's feed, or the Add of a file, with its file.</summary>
internal sealed class OfferedRow : FileRow
{
    public required long Sequence { get; init; }
    public required MutationKind Kind { get; init; }
    public required DateTimeOffset AppendedAt { get; init; }
    public string? OriginCluster { get; init; }
    public Guid? OriginEpoch { get; init; }
    public long? OriginSequence { get; init; }
    public string? Traceparent { get; init; }

    /// <param name="own">This cluster's feed, which anything else was appended to first.</param>
    public MutationOrigin OriginBeside(OwnFeed own) =>
        (OriginCluster, OriginEpoch, OriginSequence) is ({ } cluster, { } epoch, { } sequence)
            ? new MutationOrigin(cluster, epoch, sequence)
            : own.PlaceOf(FileKey.Bin, Sequence);

    public Mutation ToMutation(OwnFeed own) =>
        new(FileKey.Bin, Sequence, Kind, FileKey)
        {
            Details = new MutationDetails(ToRecord().Metadata, OriginBeside(own), AppendedAt, Traceparent),
        };
}

/// <param name="Epoch">The history that it is in now.</param>
internal sealed record OwnFeed(string Cluster, Guid Epoch, FeedHistory History)
{
    public MutationOrigin PlaceOf(int bin, long sequence) =>
        new(Cluster, History.PositionOf(bin, sequence)?.Epoch ?? Epoch, sequence);
}
