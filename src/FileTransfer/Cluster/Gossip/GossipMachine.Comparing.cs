namespace FileTransfer.Cluster.Gossip;

/// <content>What is different although both have told their news is found by comparison: of few peers one by one, of many by buckets.</content>
public sealed partial class GossipMachine
{
    /// <summary>What differs among many while there is news is most often news that is still under way: one exchange in so many looks for it.</summary>
    private const int OneIn = 4;

    /// <summary>A comparison that brings so many peers is followed by another one at once.</summary>
    private const int Many = 8;

    private bool _hasCompared;
    private bool _isCatchingUp;

    /// <summary>Whether an exchange goes on to compare.</summary>
    /// <param name="isExplained">Announcements are still to come that explain a difference.</param>
    private bool IsToCompare(PeerName from, GossipNews news, bool isExplained)
    {
        if (news.Digest is not { } there || there == _digest || _heard.Find(from)?.Settled == (_digest, there))
        {
            return false;
        }

        var isNewsUnderWay = _news.Count > 0 || !news.Peers.IsEmpty;
        return _table.Count <= _limits.ComparedOneByOne
            || _isCatchingUp
            || (!isExplained && !_hasCompared && (!isNewsUnderWay || _random.Next(OneIn) == 0));
    }

    private void BeginComparing(GossipNews news)
    {
        _hasCompared = true;
        if (_table.Count > _limits.ComparedOneByOne)
        {
            news.AddBuckets([.. _buckets]);
            return;
        }

        foreach (var place in _table.All().Where(place => !_table[place].IsSilent))
        {
            news.TryAdd(_table[place].Mention);
        }

        news.AddComplete();
    }

    private void Compare(GossipNews news, GossipNews reply)
    {
        if (news.Buckets is { } buckets)
        {
            MentionBuckets(buckets, reply);
        }

        if (news.IsComplete)
        {
            GiveTheRest(_table.All(), news, reply);
        }
        else if (news.Whole.Count > 0)
        {
            GiveTheRest(news.Whole.SelectMany(_table.InBucket), news, reply);
        }
    }

    /// <summary>Mentions all that are in buckets that differ.</summary>
    private void MentionBuckets(uint[] there, GossipNews reply)
    {
        var first = _random.Next(_buckets.Length);
        for (var i = 0; i < _buckets.Length; i++)
        {
            var bucket = (first + i) % _buckets.Length;
            if (_buckets[bucket] == there[bucket])
            {
                continue;
            }

            var places = _table.InBucket(bucket).Where(place => !_table[place].IsSilent).ToList();
            if (!reply.HasRoomFor(places.Sum(place => _table[place].Mention.Length + "'',".Length) + 64))
            {
                return;
            }

            reply.TryAddWhole(bucket);
            places.ForEach(place => reply.TryAdd(_table[place].Mention));
        }
    }

    /// <summary>Gives those that the other has not mentioned.</summary>
    private void GiveTheRest(IEnumerable<int> places, GossipNews news, GossipNews reply)
    {
        var mentioned = new HashSet<ulong>(news.Peers.Length);
        foreach (ref readonly var mention in news.Peers)
        {
            mentioned.Add(mention.Edition.Id);
        }

        foreach (var place in places)
        {
            if (!_table[place].IsSilent && !mentioned.Contains(_table[place].Words.Edition.Id))
            {
                Give(place, reply);
            }
        }
    }
}
