namespace FileTransfer.Cluster.Gossip;

/// <content>What somebody passes on of peers is put together with what is known of them here.</content>
public sealed partial class GossipMachine
{
    private const int LookedUpTogether = 64;

    /// <summary>Some are looked up together: their memory comes at the same time.</summary>
    private void MergeAll(ReadOnlySpan<Mention> mentions, GossipNews reply)
    {
        Span<int> places = stackalloc int[LookedUpTogether];
        for (; !mentions.IsEmpty; mentions = mentions[Math.Min(LookedUpTogether, mentions.Length)..])
        {
            var some = mentions[..Math.Min(LookedUpTogether, mentions.Length)];
            _table.Find(some, places);
            for (var i = 0; i < some.Length; i++)
            {
                Merge(some[i], places[i], reply);
            }
        }
    }

    private void Merge(in Mention mention, int place, GossipNews reply)
    {
        var told = mention.Edition;
        if (place < 0)
        {
            if (IsNewHere(told))
            {
                reply.TryWant(told.Name);
            }

            return;
        }

        ref var peer = ref _table[place];
        var here = peer.Words.Edition;
        if (told.IsNewerThan(here))
        {
            reply.TryWant(told.Name);
        }

        var isNews = mention.Life != peer.Life;
        if (told.Generation == here.Generation)
        {
            SetLife(place, place == _here ? Refute(mention.Life) : peer.Life.With(mention.Life));
        }

        if (peer.IsSilent)
        {
            return;
        }

        if (here.IsNewerThan(told))
        {
            Give(place, reply);
        }
        else if (mention.Life != peer.Life)
        {
            if (told.Generation == here.Generation)
            {
                reply.TryAdd(peer.Mention);
                _knownThere[place] = true;
            }
        }
        else if (!told.IsNewerThan(here))
        {
            _knownThere[place] = true;
            if (!isNews)
            {
                HearAgain(ref peer);
            }
        }
    }

    private bool IsNewHere(AnnouncementEdition told)
    {
        var known = _forgotten.Find(told.Name) ?? _untrusted.Find(told.Name)?.Words;
        return known is null || told.IsNewerThan(known.Edition);
    }

    /// <summary>This node is not dead: where somebody says so, it says once more that it is not.</summary>
    private PeerLife Refute(PeerLife told)
    {
        var life = _table[_here].Life.With(told);
        if (!life.IsSuspected)
        {
            return life;
        }

        if (life.Refutations < PeerLife.MostRefutations)
        {
            return life.Refuted();
        }

        AnnounceAbove(Self.Content.Generation);
        return _table[_here].Life;
    }
}
