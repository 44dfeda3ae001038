using FileTransfer.Chunks.Durability;

namespace FileTransfer.Chunks.Folder;

/// <summary><c>node.json</c> of the folder that this process has locked: read once, written durably whenever it changes.</summary>
public sealed class NodeFile
{
    private readonly StorePaths _paths;
    private readonly Lock _gate = new();
    private volatile FolderIdentity? _current;

    /// <exception cref="FatalStartException">It is there and cannot be read.</exception>
    public NodeFile(ChunkStore store)
    {
        _paths = store.Paths;
        _current = Read(_paths.NodeFile);
    }

    public string Path => _paths.NodeFile;

    public FolderIdentity? Current => _current;

    public CollectionHold? Hold => _current?.Hold;

    /// <summary>Reads it from a folder that no process uses; null where there is none.</summary>
    public static FolderIdentity? ReadOf(string dataDirectory) => Read(new StorePaths(dataDirectory).NodeFile);

    /// <summary>Writes it; a hold that is there stays, unless the new one says otherwise.</summary>
    /// <param name="joins">The catalog was let in just now: no other one supersedes it any more.</param>
    public void Write(FolderIdentity identity, bool joins = false)
    {
        lock (_gate)
        {
            Store(identity with { Hold = identity.Hold ?? _current?.Hold, SupersededBy = joins ? null : _current?.SupersededBy });
        }
    }

    /// <summary>Another node works on a later state of the catalog: this one is not joined again.</summary>
    public void Supersede(LaterCatalog later)
    {
        lock (_gate)
        {
            if (_current is { } current)
            {
                Store(current with { SupersededBy = later });
            }
        }
    }

    /// <summary>A person has looked, or there was nothing to look at.</summary>
    public void EndHold()
    {
        lock (_gate)
        {
            if (_current is { Hold: not null } current)
            {
                Store(current with { Hold = null });
            }
        }
    }

    private void Store(FolderIdentity identity)
    {
        if (identity == _current)
        {
            return;
        }

        DurableFile.Replace(_paths.NodeFile, JsonSerializer.SerializeToUtf8Bytes(identity, FolderJson.Default.FolderIdentity));
        _current = identity;
    }

    private static FolderIdentity? Read(string path)
    {
        try
        {
            var identity = JsonSerializer.Deserialize(File.ReadAllBytes(path), FolderJson.Default.FolderIdentity);
            return identity is { Version: <= FolderIdentity.CurrentVersion }
                ? identity
                : throw new FatalStartException(
                    $"{path} has version {identity?.Version}, and this program knows only {FolderIdentity.CurrentVersion}. "
                        + "Start the newer program that wrote it."
                );
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new FatalStartException(
                $"{path}, which says whose folder this is, cannot be read: {e.Message} "
                    + "Put it back from a backup; or remove it, and the folder is accepted where the catalog knows its contents.",
                e
            );
        }
    }
}
