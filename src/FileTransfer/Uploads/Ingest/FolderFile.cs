using FileTransfer.Chunks;

namespace FileTransfer.Uploads.Ingest;

/// <summary>A complete file of a watched folder: a proven copy of what is in it, or why there is none although nothing is wrong.</summary>
/// <param name="Upload">Null of an empty one.</param>
/// <param name="Large">The copy, where it is too large for memory.</param>
internal sealed record FolderFile(FolderEntry Entry, ProvenUpload? Upload, IncomingFile? Large, string? Reason) : IDisposable
{
    public string Name => Entry.Name;

    public void Dispose()
    {
        Upload?.Bytes?.Dispose();
        Large?.Dispose();
    }
}

/// <summary>Files that are published together, in the order of their names.</summary>
internal sealed class FolderGroup : IDisposable
{
    private const int MostFiles = 128;
    private const long MostBytes = 4L * 1024 * 1024;

    private readonly List<FolderFile> _files = [];
    private long _bytes;

    public IReadOnlyList<FolderFile> Files => _files;

    public bool IsFull => _files.Count >= MostFiles || _bytes >= MostBytes;

    public void Add(FolderFile file)
    {
        _files.Add(file);
        _bytes += file.Entry.Size;
    }

    public void Clear()
    {
        Dispose();
        _files.Clear();
        _bytes = 0;
    }

    public void Dispose() => _files.ForEach(file => file.Dispose());
}
