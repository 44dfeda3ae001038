namespace FileTransfer.Contracts;

/// <summary>
/// Many files in one body: <c>u32 LE length ‖ metadata ‖ u64 LE size ‖ bytes</c> of each. The metadata is a <see cref="FileDescription"/> as
/// JSON, whose key and fingerprint may be left out.
/// </summary>
public static class FileBatch
{
    public const string MediaType = "application/vnd.filetransfer.batch";

    /// <summary>Longer metadata is passed over, and its file is not taken.</summary>
    public const int LargestMetadata = 64 * 1024;

    /// <summary>What comes before the bytes of a file.</summary>
    public static byte[] HeaderOf(ReadOnlySpan<byte> metadata, long size)
    {
        var header = new byte[sizeof(uint) + metadata.Length + sizeof(ulong)];
        BinaryPrimitives.WriteInt32LittleEndian(header, metadata.Length);
        metadata.CopyTo(header.AsSpan(sizeof(uint)));
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(sizeof(uint) + metadata.Length), size);
        return header;
    }
}

/// <summary>What became of one file of a batch.</summary>
/// <param name="Index" example="0">Its place in the batch, from 0.</param>
/// <param name="Key">Its file key; left out where the file was refused and its metadata names none.</param>
/// <param name="Status" example="201">201: stored. 200: it was stored already. Else the status of the problem.</param>
/// <param name="Problem">Why it was not stored.</param>
public sealed record BatchLine(int Index, string? Key, int Status, ProblemBody? Problem);
