namespace FileTransfer.Cluster.Gossip;

/// <content>Who does not answer is asked again, here and through helpers; where none of this brings an answer, it is suspected (SWIM).</content>
public sealed partial class GossipMachine
{
    /// <summary>Peers that did not answer, and how many ways to try them are still open.</summary>
    private readonly Dictionary<PeerName, int> _doubts = [];

    /// <summary>Draws the conclusion from how a request ended, which is not open any more.</summary>
    private void End(GossipExchange exchange, string? failure)
    {
        if (exchange.Held is { } held)
        {
            held.Answer.AddReached(failure is null);
            Emit(new GossipAction.Answer(held.Request, held.Answer));
        }

        if (exchange.IsVoid || exchange.To is not { } to)
        {
            return;
        }

        if (failure is not null && exchange is { Held: null, About: null })
        {
            _failures.Put(to, failure);
            Doubt(to);
        }
        else if (exchange.About is { } doubted && _doubts.TryGetValue(doubted, out var open))
        {
            _doubts[doubted] = open - 1;
            if (open == 1)
            {
                _doubts.Remove(doubted);
                Suspect(doubted);
            }
        }
    }

    private void Failed(GossipEvent.Failed failed)
    {
        if (_exchanges.Remove(failed.Exchange, out var exchange))
        {
            End(exchange, failed.Reason);
        }
    }

    private void Doubt(PeerName name)
    {
        var place = PlaceOf(name);
        if (place < 0 || _table[place].Life.IsSuspected || _doubts.ContainsKey(name))
        {
            return;
        }

        var helpers = SomeLive(_limits.Helpers, place);
        _doubts.Add(name, helpers.Count + 1);
        Ask(place, Question(null), _limits.Patience, new GossipExchange(name, 0, About: name));
        foreach (var helper in helpers)
        {
            Ask(helper, Question(name), 3 * _limits.Patience, new GossipExchange(_table[helper].Words.Name, 0, About: name));
        }
    }

    /// <summary>Another node asks whether a peer answers this one.</summary>
    private void TryFor(PeerName doubted, long request, GossipNews answer)
    {
        var place = PlaceOf(doubted);
        if (place < 0 || place == _here)
        {
            answer.AddReached(place == _here);
            Emit(new GossipAction.Answer(request, answer));
            return;
        }

        Ask(place, Question(null), _limits.Patience, new GossipExchange(doubted, 0) { Held = (request, answer) });
    }

    private GossipNews Question(PeerName? doubted)
    {
        var news = new GossipNews();
        if (doubted is null)
        {
            news.AddDigest(_digest);
        }
        else
        {
            news.AddProbe(doubted);
        }

        return news;
    }

    private void Suspect(PeerName name)
    {
        var place = PlaceOf(name);
        if (place >= 0)
        {
            SetLife(place, _table[place].Life.With(PeerMarks.Suspected));
        }
    }

    /// <summary>A trusted peer spoke to this node.</summary>
    private void Hear(PeerName name)
    {
        var place = PlaceOf(name);
        if (place < 0)
        {
            // It comes back by itself, not by what others have of it.
            _forgotten.Remove(name);
            return;
        }

        _doubts.Remove(name);
        if (_heard.Find(name) is not { } heard)
        {
            heard = new HeardPeer(_limits.PhiWindow);
        }

        heard.Hear(_awake);
        _heard.Put(name, heard);
        if (_table[place].IsSilent)
        {
            _table[place].IsSilent = false;
            CountIn(place);
        }
    }

    /// <summary>A peer answered: it can be asked.</summary>
    private void NoteAnswer(PeerName name)
    {
        var place = PlaceOf(name);
        if (place >= 0)
        {
            SetLife(place, _table[place].Life.With(PeerMarks.Answered));
        }
    }
}
