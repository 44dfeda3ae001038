using FileTransfer.Cluster.Gossip;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;
using Microsoft.Extensions.Caching.Memory;

namespace FileTransfer.Downloads.Sources;

/// <summary>Which peers are worth asking for a file: nobody tells what he has, but who was asked is remembered for a while.</summary>
public sealed class PeerFiles : IDisposable
{
    /// <summary>Peers that are asked for a file at once of which nothing is known.</summary>
    public const int MostAsked = 4;

    /// <summary>Answers that are remembered.</summary>
    private const int MostRemembered = 32 * 1024;

    /// <summary>Less than a file without a source waits.</summary>
    private static readonly TimeSpan _remembered = TimeSpan.FromSeconds(20);

    private readonly LivePeers _peers;
    private readonly SourceAttemptHistory _history;
    private readonly MemoryCache _answers = new(new MemoryCacheOptions { SizeLimit = MostRemembered });

    public PeerFiles(LivePeers peers, SourceAttemptHistory history)
    {
        (_peers, _history) = (peers, history);
        history.Failed += OnFailed;
    }

    /// <summary>The peers to ask for a file, most promising first, and as long as they answer the same ones.</summary>
    /// <param name="isElsewhere">Others are known to have it: only a large file is worth a question to those who only may.</param>
    public IReadOnlyList<LivePeer> WorthAsking(FileKey key, BucketId? bucket, bool isLarge, bool isElsewhere)
    {
        var peers = _peers.All;
        if (peers.Count == 0)
        {
            return [];
        }

        var name = bucket?.ToString();
        return
        [
            .. peers
                .Select(peer => (Peer: peer, Has: Answer(peer, key), Announces: name is not null && peer.Buckets.Contains(name)))
                .Where(one => one.Has ?? (!isElsewhere || (isLarge && (one.Announces || one.Peer.Buckets.Count == 0))))
                .OrderByDescending(one => one.Has == true)
                .ThenByDescending(one => one.Announces)
                // Another order for each file, so that a cluster's peers share what is asked.
                .ThenBy(one => HashCode.Combine(one.Peer.Name, key))
                .Take(MostAsked)
                .Select(one => one.Peer),
        ];
    }

    public void Note(PeerName peer, FileKey key, bool has) =>
        _answers.Set((peer, key), has, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = _remembered });

    public void Dispose()
    {
        _history.Failed -= OnFailed;
        _answers.Dispose();
    }

    private bool? Answer(LivePeer peer, FileKey key) => _answers.TryGetValue((peer.Name, key), out bool has) ? has : null;

    private void OnFailed(FailedRequest failed)
    {
        if (failed.Kind == SourceFaultKind.NotFound && NodeSource.PeerOf(failed.Source) is { } peer)
        {
            Note(peer, failed.File, has: false);
        }
    }
}
