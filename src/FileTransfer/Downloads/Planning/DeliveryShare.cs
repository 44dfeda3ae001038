using FileTransfer.Catalog;

namespace FileTransfer.Downloads.Planning;

/// <summary>How much of a delivery, one request for several small contents, one of them takes.</summary>
public static class DeliveryShare
{
    /// <summary>The shares of a delivery: that many contents, or fewer that are not so small.</summary>
    public const int All = 32;

    private const long BytesPerShare = Delivery.LargestContent / All;

    /// <summary>1 to <see cref="All"/>.</summary>
    public static int Of(long bytes) => (int)Math.Clamp((bytes + BytesPerShare - 1) / BytesPerShare, 1, All);
}
