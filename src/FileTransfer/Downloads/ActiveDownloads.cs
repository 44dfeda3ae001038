using System.Collections.Concurrent;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Identity;

namespace FileTransfer.Downloads;

/// <summary>The downloads that this process has under way, so that a Remove can end one before its lane asks.</summary>
public sealed class ActiveDownloads
{
    private readonly ConcurrentDictionary<FileKey, Entry> _active = new();
    private readonly ThisNode _node;

    public ActiveDownloads(ThisNode node, ClusterMembership presence)
    {
        _node = node;
        presence.Notified += OnNotified;
    }

    public int Count => _active.Count;

    /// <summary>
    /// Lets <paramref name="abort"/> be cancelled when the replica is ended by somebody else; until disposed. A download of the same file
    /// that has lost its claim without knowing it yet is ended first: it has the partial that this one is to go on with.
    /// </summary>
    public async Task<IDisposable> EnterAsync(FileKey key, CancellationTokenSource abort)
    {
        var mine = new Entry(this, key, abort);
        while (_active.GetOrAdd(key, mine) is var found && found != mine)
        {
            Cancel(found.Abort);
            await found.Ended.WaitAsync(abort.Token);
        }

        return mine;
    }

    private void OnNotified(string channel, string payload)
    {
        if (
            channel == ReplicaQueue.EndedChannel
            && payload.Split(' ') is [var node, var hex]
            && node == _node.Id.Value
            && FileKey.TryParse(hex, out var key)
            && _active.TryGetValue(key, out var entry)
        )
        {
            // Not on the notifying session's path: whoever is cancelled may want that session.
            _ = Task.Run(() => Cancel(entry.Abort));
        }
    }

    private static void Cancel(CancellationTokenSource abort)
    {
        try
        {
            abort.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself in the meantime.
        }
    }

    private sealed class Entry(ActiveDownloads owner, FileKey key, CancellationTokenSource abort) : IDisposable
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationTokenSource Abort => abort;

        public Task Ended => _ended.Task;

        public void Dispose()
        {
            owner._active.TryRemove(KeyValuePair.Create(key, this));
            _ended.TrySetResult();
        }
    }
}
