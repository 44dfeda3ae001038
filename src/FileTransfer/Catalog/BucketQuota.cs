namespace FileTransfer.Catalog;

/// <summary>How much the files of a bucket may be at most, and how much they are: all that are registered or added.</summary>
/// <param name="Bytes">Null where only files are bounded.</param>
/// <param name="Files">Null where only bytes are bounded.</param>
public sealed record BucketQuota(ByteString Bucket, long? Bytes, long? Files, decimal UsedBytes, long UsedFiles)
{
    public bool IsExceeded => !HasRoomFor(0, 0);

    public bool HasRoomFor(decimal bytes, long files) =>
        UsedBytes + bytes <= (Bytes ?? decimal.MaxValue) && UsedFiles + files <= (Files ?? long.MaxValue);

    public ProblemHttpResult Refusal() =>
        Problem.Of(
            ProblemTypes.QuotaExceeded,
            $"{Reason}. Remove files of the bucket, or have its quota raised: filetransfer quota set {Bucket}.",
            ("bucket", Bucket.ToString()),
            ("bytes", Bytes),
            ("files", Files),
            ("usedBytes", Saturated(UsedBytes)),
            ("usedFiles", UsedFiles)
        );

    /// <summary>Why nothing more comes into the bucket.</summary>
    public string Reason =>
        $"Bucket {Bucket} has {UsedFiles} files of {UsedBytes} bytes; its quota is "
        + string.Join(
            " and ",
            new[] { Files is { } files ? $"{files} files" : null, Bytes is { } bytes ? $"{bytes} bytes" : null }.OfType<string>()
        )
        + ", and this would be more";

    public QuotaResource ToResource() => new(Bucket.ToString(), Bytes, Files, Saturated(UsedBytes), UsedFiles, IsExceeded);

    private static long Saturated(decimal bytes) => (long)Math.Min(bytes, long.MaxValue);
}

/// <summary>Files were not registered, and nothing else was done: their buckets' quotas have no room for them.</summary>
/// <param name="tooMuch">Those that go too far, with what their buckets have without any of them.</param>
public sealed class QuotaExceededException(IReadOnlyDictionary<FileKey, BucketQuota> tooMuch)
    : Exception(tooMuch.Values.First().Reason)
{
    public IReadOnlyDictionary<FileKey, BucketQuota> TooMuch => tooMuch;
}
