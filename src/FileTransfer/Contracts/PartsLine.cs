namespace FileTransfer.Contracts;

/// <summary>One line of what a node has of a content that it downloads. Ranges are <c>[first, last]</c> chunk ids; a line with no member is a sign of life.</summary>
/// <param name="Generation">In the first line only: the registration of the file, counted from 1.</param>
/// <param name="Fingerprint">In the first line only.</param>
/// <param name="Size">In the first line only: bytes of the whole.</param>
/// <param name="Have">Chunks that are here since the line before, proven.</param>
/// <param name="Coming">Chunks that are being sent to this node, all of them; left out where they are those of the line before.</param>
/// <param name="End"><c>stored</c>: the whole is here. <c>failed</c>: nothing of it is to be had here. The last line has it.</param>
public sealed record PartsLine(
    int? Generation = null,
    string? Fingerprint = null,
    long? Size = null,
    IReadOnlyList<long[]>? Have = null,
    IReadOnlyList<long[]>? Coming = null,
    string? End = null
)
{
    public const string Stored = "stored";
    public const string Failed = "failed";
}
