namespace FileTransfer.Chunks;

/// <content>What others read of it while it comes.</content>
public sealed partial class PartialFile
{
    /// <summary>What readers see of it while it comes; null where nobody is to.</summary>
    public ArrivingContent? Arriving { get; private set; }

    /// <summary>Lets it be read from now on as far as it is proven; <see cref="ArrivingContent.Complete"/> or the end of this partial ends that.</summary>
    /// <param name="generation">The registration of its file that it is brought for.</param>
    /// <param name="awaited">Told of a chunk that a reader waits for. Must not wait.</param>
    public ArrivingContent Share(int generation, Action<long> awaited)
    {
        Arriving = new ArrivingContent(this, _store, generation, awaited);
        _store.Share(Arriving);
        return Arriving;
    }

    /// <summary>The first chunk from this one on that is not here; itself where it is not.</summary>
    internal long EndOfRun(long chunk)
    {
        lock (_gate)
        {
            return _present.EndOfRun(chunk);
        }
    }

    /// <summary>The runs of chunks that are here.</summary>
    internal List<(long First, long End)> Runs()
    {
        lock (_gate)
        {
            return [.. _present.Runs()];
        }
    }

    private void Unshare()
    {
        if (Arriving is null)
        {
            CloseFiles();
        }
        else
        {
            Arriving.Release();
        }
    }

    /// <summary>By the last who reads of them.</summary>
    internal void CloseFiles()
    {
        Hashes.Dispose();
        _data.Dispose();
    }
}
