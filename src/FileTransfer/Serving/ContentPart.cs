namespace FileTransfer.Serving;

/// <summary>What a node asks for of a content above one window: some of its windows, or hashes of its chunks.</summary>
/// <param name="First">The first window; of hashes nothing.</param>
/// <param name="Last">The last window.</param>
/// <param name="IsHashes">Hashes come before everything else, and prove nothing before all are there: who gets some gets all.</param>
/// <param name="IsEnd">The end of what is asked for is the end of the whole.</param>
public readonly record struct ContentPart(int First, int Last, bool IsHashes, bool IsEnd)
{
    /// <param name="bodyLength">Bytes of the whole body: the content in some form.</param>
    /// <param name="size">Bytes of the content.</param>
    public static ContentPart OfContent(long offset, long count, long bodyLength, long size) =>
        new(
            WindowOf(offset, bodyLength, size),
            WindowOf(offset + count - 1, bodyLength, size),
            IsHashes: false,
            IsEnd: offset + count == bodyLength
        );

    public static ContentPart OfHashes(bool isEnd) => new(0, 0, IsHashes: true, isEnd);

    public bool Overlaps(ContentPart other) => First <= other.Last && other.First <= Last;

    private static int WindowOf(long offset, long bodyLength, long size) =>
        (int)(offset * ((double)size / bodyLength) / ContentAdmission.FreeUpToBytes);
}
