using System.Collections.Concurrent;
using FileTransfer.Catalog;
using FileTransfer.Cluster;
using FileTransfer.Identity;

namespace FileTransfer.Downloads;

/// <summary>The downloads that this process has under way, so that a Remove can end one before its lane asks.</summary>
public sealed class ActiveDownloads
{
    private readonly ConcurrentDictionary<FileKey, CancellationTokenSource> _active = new();
    private readonly ThisNode _node;

    public ActiveDownloads(ThisNode node, NodePresence presence)
    {
        _node = node;
        presence.Notified += OnNotified;
    }

    public int Count => _active.Count;

    /// <summary>Lets <paramref name="abort"/> be cancelled when the replica is ended by somebody else; until disposed.</summary>
    public IDisposable Add(FileKey key, CancellationTokenSource abort)
    {
        _active[key] = abort;
        return new Registration(this, key, abort);
    }

    private void OnNotified(string channel, string payload)
    {
        if (
            channel == ReplicaQueue.EndedChannel
            && payload.Split(' ') is [var node, var hex]
            && node == _node.Id.Value
            && FileKey.TryParse(hex, out var key)
            && _active.TryGetValue(key, out var abort)
        )
        {
            // Not on the notifying session's path: whoever is cancelled may want that session.
            _ = Task.Run(() => Cancel(abort));
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

    private sealed class Registration(ActiveDownloads owner, FileKey key, CancellationTokenSource abort) : IDisposable
    {
        public void Dispose() => owner._active.TryRemove(KeyValuePair.Create(key, abort));
    }
}
