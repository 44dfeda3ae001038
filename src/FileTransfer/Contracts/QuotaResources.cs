namespace FileTransfer.Contracts;

/// <summary>How much the files of a bucket may be at most; at least one of both.</summary>
/// <param name="Bytes" example="1000000000">Their sizes in all.</param>
/// <param name="Files" example="100000">How many they are.</param>
public sealed record QuotaRequest(long? Bytes, long? Files);

/// <summary>The quota of a bucket, and what it has: the files that are registered or added, whoever brought them.</summary>
/// <param name="Bytes">Null where only files are bounded.</param>
/// <param name="Files">Null where only bytes are bounded.</param>
/// <param name="Exceeded">Upstreams and loads have brought more than is allowed, or it was lowered: nothing is added until that is over.</param>
public sealed record QuotaResource(string Bucket, long? Bytes, long? Files, long UsedBytes, long UsedFiles, bool Exceeded);

/// <summary>The quotas of the cluster, a page of them.</summary>
/// <param name="Next">The bucket to go on after; null on the last page.</param>
public sealed record QuotaListing(IReadOnlyList<QuotaResource> Quotas, string? Next);
