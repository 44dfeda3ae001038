namespace FileTransfer.Catalog.Replicas;

/// <summary>A file whose replica at this node has changed.</summary>
public readonly record struct ReplicaChange(FileKey Key, long Size);

/// <summary>What this process has committed about replicas of its node outside a download, for whoever follows them. Telling waits for nobody.</summary>
public sealed class ReplicaChanges
{
    /// <summary>Files that are to be brought here and were not before.</summary>
    public event Action<IReadOnlyList<ReplicaChange>>? Wanted;

    /// <summary>A content came by upload.</summary>
    public event Action<ReplicaChange>? Uploaded;

    /// <summary>Files whose content was found damaged or lost, and why. They are to be brought here again, where they are still wanted.</summary>
    public event Action<IReadOnlyList<ReplicaChange>, string>? Damaged;

    public void PublishDamaged(IReadOnlyList<ReplicaChange> files, string reason) => Damaged?.Invoke(files, reason);

    public void PublishWanted(IReadOnlyList<ReplicaChange> files)
    {
        if (files.Count > 0)
        {
            Wanted?.Invoke(files);
        }
    }

    public void PublishUploaded(ReplicaChange file) => Uploaded?.Invoke(file);
}
