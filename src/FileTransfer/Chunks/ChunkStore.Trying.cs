using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Chunks;

public sealed partial class ChunkStore
{
    /// <summary>Tries whether the data folder takes writes: each folder that downloads write to, an fsync, and a commit.</summary>
    public Exception? TryWrite()
    {
        var name = $".trial.{Guid.NewGuid():n}";
        var path = Path.Combine(_paths.Partials, name);
        try
        {
            foreach (var place in (ReadOnlySpan<string>)[_paths.Contents, _paths.Partials])
            {
                RequireFolder(place);
            }

            var trial = Path.Combine(_paths.Contents, name);
            Directory.CreateDirectory(trial);
            Directory.Delete(trial);
            try
            {
                DurableFile.Create(path, new byte[ChunkFrame.ChunkLength]);
            }
            finally
            {
                File.Delete(path);
            }

            _small.Write(engine => engine.Execute("INSERT OR REPLACE INTO state (name, value) VALUES ('trial', $1)", name));
            return null;
        }
        catch (IOException full) when (full is not DiskFullException && DiskFullException.IsDiskFull(full))
        {
            return new DiskFullException(path, full);
        }
        catch (Exception fault) when (DiskFault.IsOfDisk(fault))
        {
            return fault;
        }
    }

    /// <summary>To make it anew would hide that a disk is not mounted.</summary>
    private static void RequireFolder(string path)
    {
        if (!Directory.Exists(path))
        {
            throw File.Exists(path)
                ? new IOException($"{path} is a file", hresult: 20)
                : new DirectoryNotFoundException($"{path} is not there");
        }
    }
}
