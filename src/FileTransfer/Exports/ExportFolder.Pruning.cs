using FileTransfer.Chunks.Durability;

namespace FileTransfer.Exports;

/// <content>Takes files out that the cluster has removed, at once or after a hold.</content>
internal sealed partial class ExportFolder
{
    /// <summary>Beside a file that was found removed: since when, by its time of writing.</summary>
    private const string RemovedSuffix = ".removed";

    /// <summary>
    /// Takes out what the cluster has removed. A file that is held stays until the hold is over, counted from when an export found it removed.
    /// What the cluster does not know stays: another catalog than the share's is nobody's wish to empty it.
    /// </summary>
    /// <param name="known">Files that the cluster has.</param>
    /// <returns>How many went, and how many are held.</returns>
    public async Task<(int Pruned, int Held)> PruneAsync(
        IReadOnlySet<FileKey> known,
        Func<FileKey, Task<bool>> hasRemoved,
        TimeSpan hold,
        DateTimeOffset now
    )
    {
        var (pruned, held) = (0, 0);
        foreach (var path in Directory.EnumerateFiles(root))
        {
            if (!FileKey.TryParse(Path.GetFileName(path), out var key) || path != Content(key))
            {
                continue;
            }

            var mark = path + RemovedSuffix;
            if (known.Contains(key) || !await hasRemoved(key))
            {
                File.Delete(mark);
                continue;
            }

            if (hold > TimeSpan.Zero && !File.Exists(mark))
            {
                await WriteAsync(mark, _ => Task.CompletedTask);
                File.SetLastWriteTimeUtc(mark, now.UtcDateTime);
            }

            if (hold > TimeSpan.Zero && now - File.GetLastWriteTimeUtc(mark) < hold)
            {
                held++;
                continue;
            }

            // The content first: whoever finds a content finds all that belongs to it.
            foreach (var part in (string[])[path, Hashes(key), Metadata(key), mark])
            {
                File.Delete(part);
            }

            pruned++;
        }

        DurableFile.FsyncFolder(root);
        return (pruned, held);
    }
}
