using FileTransfer.Identity;

namespace FileTransfer.Catalog.Replicas;

/// <summary>A file that a node's catalog has news of.</summary>
public readonly record struct NewsOfFile(FileKey Key, long Size);

/// <summary>What this process has committed about replicas of its node outside a download, for whoever follows them. Telling waits for nobody.</summary>
public sealed class ReplicaNews
{
    /// <summary>Files that are to be brought here and were not before.</summary>
    public event Action<IReadOnlyList<NewsOfFile>>? Wanted;

    /// <summary>A content came by upload.</summary>
    public event Action<NewsOfFile>? Uploaded;

    /// <summary>Files whose content was found damaged or lost, and why. They are to be brought here again, where they are still wanted.</summary>
    public event Action<IReadOnlyList<NewsOfFile>, string>? Damaged;

    public void TellDamaged(IReadOnlyList<NewsOfFile> files, string reason) => Damaged?.Invoke(files, reason);

    public void TellWanted(IReadOnlyList<NewsOfFile> files)
    {
        if (files.Count > 0)
        {
            Wanted?.Invoke(files);
        }
    }

    public void TellUploaded(NewsOfFile file) => Uploaded?.Invoke(file);
}
