using FileTransfer.Chunks;

namespace FileTransfer.Exports;

/// <summary>Which files are to be exported.</summary>
/// <param name="Bucket">Only files of this bucket.</param>
/// <param name="Location">Only files whose location begins with this.</param>
public sealed record ExportFilter(ByteString? Bucket, string? Location)
{
    public bool Lets(FileMetadata metadata) =>
        (Bucket is not { } bucket || metadata.Bucket.Equals(bucket))
        && (Location is null || metadata.Location.Span.StartsWith(ByteString.FromUtf8(Location).Span));
}

/// <summary>A file that can be exported; its key is the hash of its metadata.</summary>
public readonly record struct ExportFile(FileKey Key, FileMetadata Metadata);

/// <summary>How a content came into the share.</summary>
public enum ExportMeans
{
    Download,
    Copy,

    /// <summary>It shares its blocks with the store, until either is written to.</summary>
    Reflink,

    /// <summary>It is the store's own file, under one more name.</summary>
    Link,
}

/// <summary>Whom it concerns that a file cannot be exported.</summary>
public enum ExportFault
{
    /// <summary>It is not there, or not any more.</summary>
    Gone,

    /// <summary>It is not what its key stands for.</summary>
    NotProven,

    /// <summary>Any file would meet the same.</summary>
    OfAll,
}

/// <summary>A file cannot be exported, for a reason of its own.</summary>
public sealed class ExportException(ExportFault fault, string detail) : Exception(detail)
{
    public ExportFault Fault => fault;
}

/// <summary>Where exported files come from: a running node, or a data folder.</summary>
public interface IExportOrigin
{
    /// <summary>What is stored there.</summary>
    IAsyncEnumerable<ExportFile> FilesAsync(ExportFilter filter, CancellationToken cancellationToken);

    /// <summary>One file; a failure where there is none of this key.</summary>
    Task<ExportFile> FindAsync(FileKey key, CancellationToken cancellationToken);

    /// <summary>Whether the cluster has removed the file; of one that it does not know nothing is said.</summary>
    Task<bool> HasRemovedAsync(FileKey key, CancellationToken cancellationToken);

    /// <summary>Fills the target and proves it.</summary>
    Task<ExportMeans> FetchAsync(
        ExportFile file,
        DownloadTarget target,
        IProgress<long> progress,
        CancellationToken cancellationToken
    );

    /// <summary>What a failure of any of these is.</summary>
    ExportFault FaultOf(Exception fault);
}
