using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads;

/// <summary>What was claimed in the round trip that published. It is the lane's, whatever becomes of the rest of what was published.</summary>
/// <param name="Room">How much may be claimed.</param>
internal sealed record NextClaim(ClaimLimit Room)
{
    public ClaimOutcome? Next { get; set; }
}
