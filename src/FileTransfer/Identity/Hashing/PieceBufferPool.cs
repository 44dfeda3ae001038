namespace FileTransfer.Identity.Hashing;

/// <summary>Buffers for a piece of content, up to <see cref="PieceLength"/>, that whichever thread asks next gets again.</summary>
/// <remarks>The runtime's shared pool keeps one for each thread: with many threads that come and go most are made, not found.</remarks>
internal static class PieceBufferPool
{
    public const int PieceLength = 256 * 1024;

    private const int MostKept = 8;

    private static readonly ArrayPool<byte> _pool = ArrayPool<byte>.Create(PieceLength, MostKept);

    public static byte[] Rent(long length) => _pool.Rent((int)Math.Min(PieceLength, length));

    public static void Return(byte[] buffer) => _pool.Return(buffer);
}
