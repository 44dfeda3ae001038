namespace FileTransfer.Concurrency;

/// <summary>One lock per key, kept only while someone holds or waits for it.</summary>
internal sealed class KeyedLock<TKey>
    where TKey : notnull
{
    private readonly Dictionary<TKey, Entry> _entries = [];

    public async ValueTask<IDisposable> LockAsync(TKey key, CancellationToken cancellationToken)
    {
        Entry? entry;
        lock (_entries)
        {
            if (!_entries.TryGetValue(key, out entry))
            {
                entry = new Entry();
                _entries.Add(key, entry);
            }

            entry.Users++;
        }

        try
        {
            await entry.Gate.WaitAsync(cancellationToken);
        }
        catch
        {
            Leave(key, entry);
            throw;
        }

        return new Holder(this, key, entry);
    }

    /// <summary>All of them, one after the other.</summary>
    public async ValueTask<IDisposable> LockAsync(IEnumerable<TKey> keys, CancellationToken cancellationToken)
    {
        var held = new Holders();
        try
        {
            foreach (var key in keys)
            {
                held.Add(await LockAsync(key, cancellationToken));
            }

            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private void Leave(TKey key, Entry entry)
    {
        lock (_entries)
        {
            if (--entry.Users == 0)
            {
                _entries.Remove(key);
                entry.Gate.Dispose();
            }
        }
    }

    private sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public int Users { get; set; }
    }

    private sealed class Holders : List<IDisposable>, IDisposable
    {
        public void Dispose() => ForEach(holder => holder.Dispose());
    }

    private sealed class Holder(KeyedLock<TKey> owner, TKey key, Entry entry) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
            {
                entry.Gate.Release();
                owner.Leave(key, entry);
            }
        }
    }
}
