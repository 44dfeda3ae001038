using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Export;

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

/// <summary>Where exported files come from: a running node, or the data folder of one that does not run.</summary>
public interface IExportOrigin : IAsyncDisposable
{
    /// <summary>What is stored there.</summary>
    IAsyncEnumerable<ExportFile> FilesAsync(ExportFilter filter, CancellationToken cancellationToken);

    /// <summary>One file.</summary>
    /// <exception cref="CliException">There is none of this key (<see cref="ExitCode.NotFound"/>).</exception>
    Task<ExportFile> FindAsync(FileKey key, CancellationToken cancellationToken);

    /// <summary>Whether the cluster has removed the file; of one that it does not know nothing is said.</summary>
    Task<bool> HasRemovedAsync(FileKey key, CancellationToken cancellationToken);

    /// <summary>Fills the target and proves it.</summary>
    /// <exception cref="CliException">The file is gone (<see cref="ExitCode.NotFound"/>), or damaged.</exception>
    Task FetchAsync(ExportFile file, DownloadTarget target, TransferBar bar, CancellationToken cancellationToken);
}
