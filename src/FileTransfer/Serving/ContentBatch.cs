namespace FileTransfer.Serving;

/// <summary>Small contents in one answer: <c>i64 LE size ‖ bytes</c> each, as asked for; or <see cref="NotDelivered"/>, no bytes.</summary>
public static class ContentBatch
{
    /// <summary>Files of one delivery, at most.</summary>
    public const int MostFiles = 64;

    /// <summary>Larger contents have a request of their own, and need a turn.</summary>
    public const long LargestContent = ContentAdmission.FreeUpToBytes;

    public const int HeaderLength = sizeof(long);

    /// <summary>In place of a size: the content is not here, or too large for a delivery.</summary>
    public const long NotDelivered = -1;
}
