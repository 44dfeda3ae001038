namespace FileTransfer.Uploads;

/// <summary>A file of a batch: proven and about to be published, or refused.</summary>
/// <param name="Key">As its metadata says; null where that says none.</param>
internal sealed record BatchedFile(FileKey? Key, ProvenUpload? Upload, ProblemHttpResult? Problem);

/// <summary>Files of a batch, in their order, that are published and answered together.</summary>
internal sealed class UploadGroup : IDisposable
{
    /// <summary>Files that cost the round trips and commits of one.</summary>
    private const int MostFiles = 128;

    private const long MostBytes = 4L * 1024 * 1024;

    private readonly List<BatchedFile> _files = [];
    private long _bytes;

    public bool IsFull => _files.Count >= MostFiles || _bytes >= MostBytes;

    public IReadOnlyList<BatchedFile> Files => _files;

    /// <summary>What there is to publish; a file that came twice counts once.</summary>
    public IReadOnlyCollection<ProvenUpload> Uploads =>
        [.. _files.Select(file => file.Upload).OfType<ProvenUpload>().DistinctBy(upload => upload.Key)];

    public void Add(BatchedFile file)
    {
        _files.Add(file);
        _bytes += file.Upload?.Bytes?.Bytes.Length ?? 0;
    }

    public void Dispose()
    {
        foreach (var file in _files)
        {
            file.Upload?.Bytes?.Dispose();
        }
    }
}
