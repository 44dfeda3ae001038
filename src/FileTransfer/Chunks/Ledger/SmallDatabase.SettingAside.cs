using FileTransfer.Chunks.Durability;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Ledger;

public sealed partial class SmallDatabase
{
    private Exception? SetAsideForWriting(SmallConnection damaged, string reason)
    {
        lock (_readGate)
        {
            try
            {
                SetAside(damaged, reason);
                return null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return e;
            }
        }
    }

    private void OpenOrSetAside()
    {
        var isNew = !File.Exists(_paths.Small);
        try
        {
            Open(isNew);
        }
        catch (SqliteException e) when (SmallConnection.IsDamage(e))
        {
            MoveAside(e.Message);
            Open(isNew: true);
        }
        catch (SqliteException e)
        {
            throw SmallConnection.Translate(e, _paths.Small);
        }
    }

    private void Open(bool isNew)
    {
        var writer = SmallConnection.Open(_paths.Small, isNew);
        try
        {
            _reader = SmallConnection.Open(_paths.Small, isNew: false);
            _writer = writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }

        DurableFile.FsyncFolder(_paths.Root);
        IsNew |= isNew || !_reader.IsFull;
    }

    /// <summary>Under the gate of readers. Nothing happens when somebody else has done it already.</summary>
    private void SetAside(SmallConnection damaged, string reason)
    {
        lock (_commitGate)
        {
            if (damaged != _writer && damaged != _reader)
            {
                return;
            }

            _writer.Dispose();
            _reader.Dispose();
            MoveAside(reason);
            Open(isNew: true);
        }
    }

    /// <summary>The engine's log goes along: over another file of the same name it would be laid without a word.</summary>
    private void MoveAside(string reason)
    {
        var kept = _paths.FreeInQuarantine(Path.GetFileName(_paths.Small));
        Directory.CreateDirectory(_paths.Quarantine);
        File.WriteAllText(kept + StorePaths.ReasonSuffix, $"{_paths.Small} is damaged: {reason}\n");
        foreach (var suffix in (ReadOnlySpan<string>)["-wal", "-shm", ""])
        {
            if (File.Exists(_paths.Small + suffix))
            {
                DurableFile.Rename(_paths.Small + suffix, kept + suffix);
            }
        }

        DurableFile.FsyncFolder(_paths.Quarantine);
        DurableFile.FsyncFolder(_paths.Root);
        SetAsideBecause = reason;
        Log.SetAside(_logger, _paths.Small, reason, kept);
    }
}
