using FileTransfer.Chunks.Durability;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Small;

public sealed partial class SmallDatabase
{
    private Exception? TrySetAside(int generation, string reason)
    {
        try
        {
            SetAside(generation, reason);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e;
        }
    }

    private void OpenOrSetAside()
    {
        try
        {
            OpenWriter();
        }
        catch (SqliteException e) when (SmallConnection.IsDamage(e))
        {
            MoveAside(e.Message);
            OpenTranslated();
        }
        catch (SqliteException e)
        {
            throw SmallConnection.Translate(e, _paths.Small);
        }
    }

    private void OpenTranslated()
    {
        try
        {
            OpenWriter();
        }
        catch (SqliteException e)
        {
            throw SmallConnection.Translate(e, _paths.Small);
        }
    }

    private SmallConnection OpenWriter()
    {
        var isNew = !File.Exists(_paths.Small);
        var writer = SmallConnection.OpenWriter(_paths.Small, isNew);
        DurableFile.FsyncFolder(_paths.Root);
        IsNew |= isNew || !writer.IsFull;
        return _writer = writer;
    }

    /// <summary>It was not opened again where a damaged one was set aside and there was no room for the next.</summary>
    private SmallConnection Writer() => _writer ?? OpenWriter();

    /// <summary>When nobody reads or writes. Nothing happens when somebody else has done it already.</summary>
    private void SetAside(int generation, string reason)
    {
        Alone(() =>
        {
            if (generation == _generation)
            {
                Close();
                MoveAside(reason);
                _generation++;
                OpenTranslated();
            }
        });
    }

    /// <summary>Does something while no reader has a turn and nothing is being committed.</summary>
    private void Alone(Action work)
    {
        lock (_settingAside)
        {
            for (var taken = 0; taken < _mostReaders; taken++)
            {
                _turns.Wait();
            }

            try
            {
                lock (_commitGate)
                {
                    work();
                }
            }
            finally
            {
                _turns.Release(_mostReaders);
            }
        }
    }

    /// <summary>The writer last: whoever closes the file last writes its log to it.</summary>
    private void Close()
    {
        while (_readers.TryPop(out var reader))
        {
            reader.Dispose();
        }

        _writer?.Dispose();
        _writer = null;
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
