using System.Collections;
using System.Numerics;

namespace FileTransfer.Cluster.Gossip;

/// <content>What is new is told to a number of peers unasked; the digest counts all that is passed on.</content>
public sealed partial class GossipMachine
{
    /// <summary>About so many fit into a message.</summary>
    private const int MostTold = GossipMessage.Longest / 2 / 40;

    private readonly Queue<int> _news = [];

    /// <summary>Those that the other has just told, or has been told.</summary>
    private readonly BitArray _knownThere = new(0);
    private int _urgent;

    /// <summary>So many partners, and nearly all have heard it; who has not, finds that digests differ.</summary>
    private byte Tellings => (byte)(BitOperations.Log2((uint)_table.Count) + 1);

    private void Tell(int place, bool isUrgent)
    {
        // Others have long known what this node catches up with.
        if (_isCatchingUp && place != _here)
        {
            return;
        }

        ref var peer = ref _table[place];
        if (peer.Tellings == 0)
        {
            _news.Enqueue(place);
        }

        peer.Tellings = (byte)(Tellings + 1);
        if (isUrgent && !peer.IsUrgent)
        {
            peer.IsUrgent = true;
            _urgent++;
        }
    }

    /// <summary>Somebody told what is known here: where there is more news than fits into a message, it need not be told so often.</summary>
    private void HearAgain(ref PeerEntry peer)
    {
        if (_news.Count > MostTold)
        {
            peer.Tellings = (byte)((peer.Tellings + 1) / 2);
        }
    }

    private void StopTelling(ref PeerEntry peer)
    {
        peer.Tellings = 0;
        _urgent -= peer.IsUrgent ? 1 : 0;
        peer.IsUrgent = false;
    }

    /// <summary>Adds what is new, what was told least first, but for what the other has just told.</summary>
    private void TellNews(GossipNews news)
    {
        news.Expect(Math.Min(_news.Count, MostTold));
        for (var left = _news.Count; left > 0 && news.HasRoomFor(GossipMessage.Longest / 2); left--)
        {
            var place = _news.Dequeue();
            ref var peer = ref _table[place];
            if (peer is { Tellings: > 1, IsSilent: false } && !_knownThere[place])
            {
                news.TryAdd(peer.Mention);
            }

            if (peer.Tellings <= 2)
            {
                StopTelling(ref peer);
            }
            else
            {
                peer.Tellings--;
                _news.Enqueue(place);
            }
        }
    }

    /// <summary>Adds an announcement, and how the peer fares.</summary>
    private void Give(int place, GossipNews news)
    {
        ref var peer = ref _table[place];
        if (news.HasRoomFor(peer.Words.Text.Length + peer.Mention.Length + 64))
        {
            news.TryAdd(peer.Words);
            news.TryAdd(peer.Mention);
        }
    }

    private void CountIn(int place) => Add(place, 1);

    private void CountOut(int place) => Add(place, -1);

    private void Add(int place, int sign)
    {
        ref var peer = ref _table[place];
        if (!peer.IsSilent)
        {
            var digest = peer.Digest;
            ref var bucket = ref _buckets[(int)(peer.Words.Edition.Id % GossipDigest.Buckets)];
            if (sign > 0)
            {
                (_digest, bucket) = (unchecked(_digest + digest), unchecked(bucket + (uint)digest));
            }
            else
            {
                (_digest, bucket) = (unchecked(_digest - digest), unchecked(bucket - (uint)digest));
            }
        }
    }
}
