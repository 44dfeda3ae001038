using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Downloads.Sources;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Exports;

/// <summary>
/// A static share in a folder: <c>{key}</c> is the content, <c>{key}.hashes</c> its chunk hashes, <c>{key}.json</c> its metadata, with
/// keys as 64 hex digits; <c>index.ndjson</c> lists them. Any web server that does ranges serves it; whoever reads it proves what he gets.
/// </summary>
/// <remarks>The content takes its name last, so that whoever finds it finds all three. One export works on a folder at a time.</remarks>
internal sealed partial class ExportFolder(string root, FileLock locked, FreeSpaceFloor floor) : IDisposable
{
    private const string LockName = ".export.lock";

    public string Root => root;

    /// <summary>Lines gathered before they are written.</summary>
    private const int LongestWrite = 1024 * 1024;

    /// <summary>Opens a share, which is made when missing.</summary>
    /// <param name="floor">What is left free of its disk.</param>
    /// <returns>Null while another export works on it.</returns>
    public static ExportFolder? TryOpen(string path, FreeSpaceFloor floor)
    {
        var folder = Path.GetFullPath(path);
        Directory.CreateDirectory(folder);
        return FileLock.TryTake(Path.Combine(folder, LockName), out _) is { } taken
            ? new ExportFolder(folder, taken, floor)
            : null;
    }

    /// <summary>Whether a file is here whole, by the lengths of its parts.</summary>
    public bool Has(FileKey key, FileMetadata metadata) =>
        LengthOf(Content(key)) == (long)metadata.Size
        && LengthOf(Hashes(key)) == ChunkHashes.EncodedLengthOf((long)metadata.Size)
        && LengthOf(Metadata(key)) > 0;

    /// <summary>Whether what is here is what the key stands for; reads all of it.</summary>
    public async Task<bool> ProvesAsync(
        FileKey key,
        FileMetadata metadata,
        IProgress<long> bar,
        CancellationToken cancellationToken
    )
    {
        if (!Has(key, metadata))
        {
            return false;
        }

        using (var hashes = ChunkHashes.Open((long)metadata.Size, Hashes(key)))
        {
            if (hashes.ComputeFingerprint() != metadata.Fingerprint)
            {
                return false;
            }
        }

        return await ContentFingerprint.OfFileAsync(Content(key), bar, cancellationToken) == metadata.Fingerprint;
    }

    /// <summary>Where a content gathers and is proven; what an export before this one has left of it is there already.</summary>
    public async Task<DownloadTarget> BeginAsync(FileKey key, FileMetadata metadata, CancellationToken cancellationToken)
    {
        var target = new DownloadTarget(Content(key), key, metadata, goesOn: true, floor);
        try
        {
            await target.ResumeAsync(cancellationToken);
            return target;
        }
        catch
        {
            target.Dispose();
            throw;
        }
    }

    /// <summary>Gives a proven content and what belongs to it their names, durably.</summary>
    public async Task PublishAsync(FileKey key, FileMetadata metadata, DownloadTarget proven, CancellationToken cancellationToken)
    {
        await WriteAsync(Hashes(key), file => proven.WriteHashesAsync(file, cancellationToken));
        var json = JsonSerializer.SerializeToUtf8Bytes(FileDescription.Of(metadata), SparseJson.Default.FileDescription);
        await WriteAsync(Metadata(key), file => RandomAccess.WriteAsync(file, json, 0, cancellationToken).AsTask());
        DurableFile.FsyncFolder(root);
        proven.Publish();
    }

    /// <summary>
    /// Lists all that is here whole, a line each. The list takes its name last, so that whoever reads of a file in it finds the file.
    /// </summary>
    public Task WriteIndexAsync(CancellationToken cancellationToken) =>
        WriteAsync(
            Path.Combine(root, ShareSource.IndexName),
            async file =>
            {
                var lines = new ArrayBufferWriter<byte>();
                long written = 0;
                foreach (var path in Directory.EnumerateFiles(root, "*.json"))
                {
                    if (await ReadAsync(path, cancellationToken) is { } listed)
                    {
                        using (var json = new Utf8JsonWriter(lines))
                        {
                            JsonSerializer.Serialize(json, listed, SparseJson.Default.FileDescription);
                        }

                        lines.Write("\n"u8);
                    }

                    if (lines.WrittenCount > LongestWrite)
                    {
                        await FlushAsync();
                    }
                }

                await FlushAsync();

                async Task FlushAsync()
                {
                    await RandomAccess.WriteAsync(file, lines.WrittenMemory, written, cancellationToken);
                    written += lines.WrittenCount;
                    lines.ResetWrittenCount();
                }
            }
        );

    public void Dispose() => locked.Dispose();

    /// <summary>The line of a file that is here whole; null where that is not one, or not all of it is here.</summary>
    private async Task<FileDescription?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        if (!FileKey.TryParse(Path.GetFileNameWithoutExtension(path), out var key))
        {
            return null;
        }

        try
        {
            var json = await File.ReadAllBytesAsync(path, cancellationToken);
            return
                JsonSerializer.Deserialize(json, SparseJson.Default.FileDescription) is { } one
                && one.Read(default).Metadata is { } metadata
                && metadata.ComputeKey() == key
                && Has(key, metadata)
                && !File.Exists(Content(key) + RemovedSuffix)
                ? one with
                {
                    Label = one.Location ?? one.Key,
                }
                : null;
        }
        catch (JsonException)
        {
            return null; // Whoever wrote it: it is not the metadata of a file that is here.
        }
    }

    private static async Task WriteAsync(string path, Func<SafeFileHandle, Task> write)
    {
        var temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}{DownloadTarget.PartialSuffix}");
        using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
        {
            await write(file);
            DurableFile.Fsync(file, temporary);
        }

        DurableFile.Rename(temporary, path);
    }

    private static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : -1;

    private string Content(FileKey key) => Path.Combine(root, key.ToHex());

    private string Hashes(FileKey key) => Content(key) + ".hashes";

    private string Metadata(FileKey key) => Content(key) + ".json";
}
