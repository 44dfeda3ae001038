namespace FileTransfer.Concurrency;

/// <summary>Tells those who wait for something about one key that it has happened. Costs next to nothing while nobody waits.</summary>
public sealed class KeyedSignal<TKey>
    where TKey : notnull
{
    private readonly Dictionary<TKey, List<Waiter>> _waiters = [];
    private volatile int _count;

    public void Set(TKey key)
    {
        if (_count == 0)
        {
            return;
        }

        lock (_waiters)
        {
            _waiters.GetValueOrDefault(key)?.ForEach(waiter => waiter.Set());
        }
    }

    /// <summary>Waits from now on: look only then whether it has happened already. Ends when it is disposed.</summary>
    public Waiter Await(TKey key)
    {
        var waiter = new Waiter(this, key);
        lock (_waiters)
        {
            ref var waiters = ref CollectionsMarshal.GetValueRefOrAddDefault(_waiters, key, out _);
            (waiters ??= []).Add(waiter);
            _count++;
        }

        return waiter;
    }

    private void Remove(Waiter waiter)
    {
        lock (_waiters)
        {
            var waiters = _waiters[waiter.Key];
            waiters.Remove(waiter);
            _count--;
            if (waiters.Count == 0)
            {
                _waiters.Remove(waiter.Key);
            }
        }
    }

    public sealed class Waiter : AsyncAutoResetEvent, IDisposable
    {
        private readonly KeyedSignal<TKey> _signal;

        internal Waiter(KeyedSignal<TKey> signal, TKey key) => (_signal, Key) = (signal, key);

        internal TKey Key { get; }

        public void Dispose() => _signal.Remove(this);
    }
}
