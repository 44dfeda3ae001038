using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Gossip;

/// <content>Whom to trust changes at once.</content>
public sealed partial class GossipMachine
{
    private void TrustChanged(PeerName? name)
    {
        foreach (var place in _table.All().Where(place => place != _here && (name is null || _table[place].Words.Name == name)))
        {
            var words = _table[place].Words;
            var standing = _judge(words);
            if (standing != TrustStanding.Trusted)
            {
                var untrusted = new UntrustedPeer(words, standing, _awake);
                Remove(place);
                _doubts.Remove(words.Name);
                _heard.Remove(words.Name);
                _untrusted.Put(words.Name, untrusted);
                Emit(new GossipAction.Revoked(untrusted.ToView()));
            }
        }

        foreach (var peer in _untrusted.Values.Where(peer => name is null || peer.Words.Name == name).ToList())
        {
            var standing = _judge(peer.Words);
            if (standing == TrustStanding.Trusted)
            {
                AcceptTrusted(peer.Words);
            }
            else if (standing != peer.Standing)
            {
                _untrusted.Put(peer.Words.Name, peer with { Standing = standing, Since = _awake });
            }
        }
    }

    private PeerView ViewOf(int place)
    {
        ref var peer = ref _table[place];
        var name = peer.Words.Name;
        var heard = _heard.Find(name);
        var failure = _failures.Find(name);
        var reason = peer.Status switch
        {
            PeerStatus.Alive => heard is null ? "it answers others" : "it answers",
            PeerStatus.Expired => "its announcement has run out, and it has made no newer one",
            PeerStatus.Unknown => failure is null ? "it has not answered yet" : $"it has not answered yet: {failure}",
            PeerStatus.Suspect when failure is null => "others got no answer from it",
            PeerStatus.Suspect => $"it did not answer: {failure}",
            _ when failure is null => "others got no answer from it, and it has not shown itself since",
            _ => $"it did not answer, and has not shown itself since: {failure}",
        };
        return new PeerView(peer.Words, TrustStanding.Trusted, peer.Status, heard?.Phi(_awake), peer.Since + _slept, reason);
    }
}
