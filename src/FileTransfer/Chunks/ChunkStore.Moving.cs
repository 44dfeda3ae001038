using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Chunks.Small;

namespace FileTransfer.Chunks;

/// <content>Small contents that earlier versions kept as files, and their links, become rows.</content>
public sealed partial class ChunkStore
{
    private const string Moved = "moved";
    private const string MovedAndCleared = "moved and cleared";

    /// <summary>Whether no small content was left that is a file when it was last looked.</summary>
    internal bool IsMoved => MoveState is not null;

    private string? MoveState => (string?)_small.Read(engine => engine.Scalar("SELECT value FROM state WHERE name = 'move'"));

    internal IEnumerable<ContentInfo> SmallFiles() => ContentFiles().Where(content => IsSmall(content.Size));

    /// <summary>Moves a group in one commit; one that is not right stays for whoever reads it.</summary>
    /// <returns>How many were moved.</returns>
    internal async Task<int> MoveAsync(Fingerprint[] group, CancellationToken cancellationToken)
    {
        using var locks = await LockContentsAsync(group, cancellationToken);
        var contents = group.Select(TryReadFile).OfType<ProvenBytes>().ToList();
        await _small.WriteAsync(engine =>
            contents.ForEach(content => SmallContents.Put(engine, content.Fingerprint, content.Bytes))
        );
        contents.ForEach(content => File.Delete(_paths.Content(content.Fingerprint)));

        // A file that a power failure brings back would outlive the removal of its row.
        using var root = DurableFile.OpenFolder(_paths.Root);
        DurableFile.FlushFileSystem(root, _paths.Root);
        return contents.Count;
    }

    /// <summary>Removes the links of files that the folder knows by their rows.</summary>
    /// <returns>Whether none is left.</returns>
    internal bool TryRemoveLinks()
    {
        var isLeft = false;
        foreach (var key in _links.All())
        {
            if (_small.Read(engine => LedgerReading.Find(engine, key)) is null)
            {
                isLeft = true;
            }
            else
            {
                _links.Remove(key);
            }
        }

        if (!isLeft)
        {
            _links.RemoveFolder();
        }

        return !isLeft;
    }

    internal Task DeclareMovedAsync() => _small.WriteAsync(engine => SetMoveState(engine, Moved));

    private static void SetMoveState(SmallConnection engine, string state) =>
        engine.Execute("INSERT OR REPLACE INTO state (name, value) VALUES ('move', $1)", state);

    /// <summary>At a start, when nobody makes a folder: those that are empty because their contents have moved.</summary>
    private void RemoveFoldersOfMoved()
    {
        if (MoveState != Moved)
        {
            return;
        }

        foreach (var outer in Directory.EnumerateDirectories(_paths.Contents))
        {
            foreach (var inner in Directory.EnumerateDirectories(outer).Where(IsEmpty))
            {
                Directory.Delete(inner);
            }

            if (IsEmpty(outer))
            {
                Directory.Delete(outer);
            }
        }

        _small.Write(engine => SetMoveState(engine, MovedAndCleared));

        static bool IsEmpty(string folder) => !Directory.EnumerateFileSystemEntries(folder).Any();
    }

    private ProvenBytes? TryReadFile(Fingerprint fingerprint)
    {
        try
        {
            return ProvenBytes.TryProve(fingerprint, File.ReadAllBytes(_paths.Content(fingerprint)));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
