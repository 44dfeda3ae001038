using FileTransfer.Catalog;

namespace FileTransfer.Downloads;

/// <summary>What was claimed in the round trip that published. It is the lane's, whatever becomes of the rest of what was published.</summary>
/// <param name="Room">So many files may be claimed; 0 = none.</param>
internal sealed record ClaimedBeside(int Room)
{
    public ClaimOutcome? Next { get; set; }
}
