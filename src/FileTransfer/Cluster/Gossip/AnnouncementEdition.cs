namespace FileTransfer.Cluster.Gossip;

/// <summary>Which announcement of which node: what is passed on in place of it.</summary>
internal sealed record AnnouncementEdition(PeerName Name, long Generation, long Version)
{
    /// <summary>Of the name.</summary>
    public ulong Id { get; } = GossipDigest.IdOf(Name);

    /// <summary>Characters of the text.</summary>
    public int Length { get; } =
        Mention.LengthOf(Name) + " ".Length + Mention.DigitsOf(Generation) + " ".Length + Mention.DigitsOf(Version);

    /// <summary>Whether both are of the same node.</summary>
    public bool HasNameOf(AnnouncementEdition other) => ReferenceEquals(this, other) || (Id == other.Id && Name == other.Name);

    /// <summary>Whether it was made later than another one of the same node.</summary>
    public bool IsNewerThan(AnnouncementEdition other) =>
        Generation > other.Generation || (Generation == other.Generation && Version > other.Version);

    public override string ToString() => $"{Name} {Generation} {Version}";
}
