namespace FileTransfer.Serving;

/// <summary>Small contents in one answer: <c>i64 LE size ‖ bytes</c> each, as asked for; or <see cref="NotDelivered"/>, no bytes.</summary>
public static class ContentBatch
{
    public const string Route = "/v1/sync/deliveries";

    /// <summary>Files of one delivery, at most.</summary>
    public const int MostFiles = 64;

    /// <summary>Larger contents have a request of their own, and need a turn.</summary>
    public const long LargestContent = ContentAdmission.FreeUpToBytes;

    public const int HeaderLength = sizeof(long);

    /// <summary>In place of a size: the content is not here, or too large for a delivery.</summary>
    public const long NotDelivered = -1;
}

/// <summary>What is to be delivered.</summary>
/// <param name="Want" example="[&quot;0x3f1a0c5a1d1fb4b5a0f3d6a5e6f2f1f5a5b7c1d9e3f7a1b2c3d4e5f60718293a&quot;]">File keys, 1 to 64.</param>
public sealed record BatchRequest(IReadOnlyList<string?>? Want);
