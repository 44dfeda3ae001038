using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Gossip;

/// <content>What is known, and how it grows.</content>
public sealed partial class GossipMachine
{
    private long _announcedAbove;

    /// <summary>Takes in what a trusted peer says, and adds to the reply what it lacks or is asked for.</summary>
    private void Learn(GossipNews news, GossipNews reply)
    {
        _knownThere.SetAll(false);
        foreach (var words in news.Announcements)
        {
            Accept(words);
        }

        MergeAll(news.Peers, reply);

        foreach (var name in news.Wanted)
        {
            var place = PlaceOf(name);
            if (place >= 0 && !_table[place].IsSilent)
            {
                Give(place, reply);
            }
        }

        Compare(news, reply);
    }

    /// <summary>Takes in signed words, whoever brought them.</summary>
    private void Accept(SignedAnnouncement words)
    {
        if (words.Name == _self)
        {
            AcceptOfThis(words);
            return;
        }

        switch (_judge(words))
        {
            case TrustStanding.Trusted:
                AcceptTrusted(words);
                break;
            case var standing:
                KeepApart(words, standing);
                break;
        }
    }

    private void AcceptTrusted(SignedAnnouncement words)
    {
        _untrusted.Remove(words.Name);
        var place = _table.Find(words.Edition);
        if (place < 0)
        {
            if (_forgotten.Find(words.Name) is { } last && !words.IsNewerThan(last))
            {
                Refuse(AnnouncementRefusal.Older);
                return;
            }

            _forgotten.Remove(words.Name);
            place = Add(words);
            Say(place, PeerStatus.Unknown);
        }
        else if (words.IsNewerThan(_table[place].Words))
        {
            Replace(place, words);
        }
        else if (_table[place].Words.IsNewerThan(words))
        {
            Refuse(AnnouncementRefusal.Older);
        }
    }

    /// <summary>An announcement of this node that comes from others: one of an earlier run, whose clock was ahead, or of who is no such node.</summary>
    private void AcceptOfThis(SignedAnnouncement words)
    {
        if (!words.Content.Keys.Take(1).SequenceEqual(Self.Content.Keys.Take(1)))
        {
            Refuse(AnnouncementRefusal.Key);
        }
        else if (words.IsNewerThan(Self))
        {
            AnnounceAbove(words.Content.Generation);
        }
    }

    private void AnnounceAbove(long generation)
    {
        if (generation > _announcedAbove)
        {
            _announcedAbove = generation;
            Emit(new GossipAction.Announce(generation));
        }
    }

    private void Announced(SignedAnnouncement words)
    {
        if (words.Name == _self && words.IsNewerThan(Self))
        {
            Replace(_here, words);
        }
    }

    private void KeepApart(SignedAnnouncement words, TrustStanding standing)
    {
        if (standing == TrustStanding.Conflict)
        {
            Refuse(AnnouncementRefusal.Key);
        }

        var known = _untrusted.Find(words.Name);
        if (known is null || known.Standing != standing || words.IsNewerThan(known.Words))
        {
            _untrusted.Put(words.Name, new UntrustedPeer(words, standing, _awake));
        }
    }

    private int Add(SignedAnnouncement words)
    {
        var place = _table.Add(words);
        _knownThere.Length = _table.Places;
        _table[place].Since = _awake;
        NoteExpiry(words);
        CountIn(place);
        Enlist(place);
        Tell(place, isUrgent: true);
        return place;
    }

    private void Replace(int place, SignedAnnouncement words)
    {
        ref var peer = ref _table[place];
        var former = peer.Words.Content;
        var isRenewal = words.Content.IsRenewalOf(former);
        var hadExpired = peer.IsExpired;
        CountOut(place);
        peer.Words = words;
        peer.IsExpired = false;
        NoteExpiry(words);
        CountIn(place);
        if (words.Content.Generation > former.Generation)
        {
            _doubts.Remove(words.Name);
            SetLife(place, default);
        }

        Tell(place, isUrgent: !isRenewal);
        if (hadExpired)
        {
            Show(place, PeerStatus.Expired);
        }
        else if (!isRenewal && place != _here)
        {
            Say(place, peer.Status);
        }
    }

    private void Remove(int place)
    {
        ref var peer = ref _table[place];
        CountOut(place);
        StopTelling(ref peer);
        _suspects -= peer.Life.IsSuspected ? 1 : 0;
        _order.Remove(place);
        _table.Remove(place);
    }

    private void SetLife(int place, PeerLife life)
    {
        ref var peer = ref _table[place];
        var (before, former) = (peer.Status, peer.Life);
        if (life == former)
        {
            return;
        }

        CountOut(place);
        peer.Life = life;
        peer.IsSilent = false;
        if (life.IsSuspected != former.IsSuspected)
        {
            peer.IsDead = false;
            peer.Since = _awake;
            _suspects += life.IsSuspected ? 1 : -1;
            if (life.IsSuspected)
            {
                _firstSuspicion ??= peer.Since;
            }
        }

        CountIn(place);
        Tell(place, isUrgent: true);
        Show(place, before);
    }

    private void Show(int place, PeerStatus before)
    {
        ref var peer = ref _table[place];
        if (peer.Status != before)
        {
            peer.Since = peer.Life.IsSuspected && !peer.IsDead ? peer.Since : _awake;
            if (place != _here)
            {
                Say(place, before);
            }
        }
    }

    private void Say(int place, PeerStatus before) =>
        Emit(new GossipAction.Changed(_table[place].Words, before, _table[place].Status));
}
