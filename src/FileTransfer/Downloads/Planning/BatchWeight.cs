namespace FileTransfer.Downloads.Planning;

/// <summary>How much of a delivery, one request for several small contents, one of them takes.</summary>
public static class BatchWeight
{
    /// <summary>The shares of a delivery: that many contents, or fewer that are not so small.</summary>
    public const int All = 32;

    /// <summary>Larger contents have a request of their own.</summary>
    public const long LargestContent = 1024 * 1024;

    private const long BytesPerShare = 128 * 1024;

    /// <summary>1 to <see cref="All"/>; 0 for a content that is not delivered.</summary>
    public static int Of(long bytes) =>
        bytes > LargestContent ? 0 : (int)Math.Max(1, (bytes + BytesPerShare - 1) / BytesPerShare);
}
